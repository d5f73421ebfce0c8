//! The exchange between a coordinator and a worker: one JSON object per line, the worker's standard
//! input and output. Standard error is the worker's log.
//!
//! ```text
//! coordinator  {"hello":{"protocol":1,"threads":1,"device":"cpu","data":"/data"}}
//! worker       {"hello":{"protocol":1,"program":"pleach-mnist","version":"0.1.0","numerics":"…","queue":1,"parameters":[…]}}
//! coordinator  {"measure":{"id":0,"parameters":{"data":"mnist","batch":128,"budget":"5ep"}}}
//! worker       {"measured":{"id":0,"steps":2345,"steps_per_epoch":469,"data":"9f…"}}
//! coordinator  {"start":{"attempt":1,"parameters":{…},"schedule":{"profile":"…"},"seed":1,"first":0,"end":2345,…}}
//! worker       {"metrics":{"attempt":1,"step":469,"values":{"val_accuracy":0.95}}}
//! worker       {"checkpoint":{"attempt":1,"step":600,"file":"600.safetensors","digest":"…"}}
//! worker       {"finished":{"attempt":1,"step":2345,"outcome":"done","digest":"…"}}
//! ```
//!
//! `docs/protocol.md` describes it for people who write a worker program in another language.
//!
//! Reading order: [`message`] (what is said), [`describe`] (how a worker describes itself), [`number`] (numbers that JSON cannot hold), [`limits`] (how much of it), [`line`](mod@line) (messages as bytes), [`serve`](mod@serve) (the worker's side).

pub mod describe;
pub mod limits;
pub mod line;
pub mod message;
pub mod number;
pub mod serve;
