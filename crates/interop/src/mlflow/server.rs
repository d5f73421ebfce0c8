//! Asking an MLflow server. Beside the trainer's `fetch` this is the one place that opens a network socket.

use std::{io, time::Duration};

use serde_json::Value;
use thiserror::Error;
use ureq::{Agent, Body, Error, http::Response};

/// A server that does not answer for so long is not there.
const PATIENCE: Duration = Duration::from_mins(1);

/// Answers are small; pages of a thousand runs are the largest.
const LONGEST: u64 = 64 << 20;

pub struct Server {
    agent: Agent,
    /// Without a slash at its end.
    address: String,
    token: Option<String>,
}

#[derive(Debug, Error)]
pub enum MlflowError {
    #[error("`{address}` is no address of a server, such as http://127.0.0.1:5000")]
    Address { address: String },
    #[error(
        "there is no MLflow server at {address} that answers: {why}; start one with `mlflow server`"
    )]
    Unreachable { address: String, why: String },
    #[error("the server {address} refuses `{what}`: {why}")]
    Refused { address: String, what: String, why: String },
    #[error("the experiment `{name}` was deleted: restore it with `mlflow experiments restore`")]
    Deleted { name: String },
    #[error("the server answers, but not as MLflow does")]
    Strange,
}

impl Server {
    /// `token` is a secret that it may ask for.
    pub fn new(address: &str, token: Option<String>) -> Result<Self, MlflowError> {
        let address = address.trim_end_matches('/').to_owned();
        if !(address.starts_with("http://") || address.starts_with("https://")) {
            return Err(MlflowError::Address { address });
        }
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        let is_here = ["//127.", "//localhost", "//[::1]"].iter().any(|it| address.contains(it));
        let config = if is_here { config.proxy(None) } else { config };
        Ok(Self { agent: config.build().into(), address, token })
    }

    /// `None` if there is no such thing.
    pub(super) fn get(&self, what: &str) -> Result<Option<Value>, MlflowError> {
        let mut request = self.agent.get(self.place(what));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.answer(what, request.call())
    }

    pub(super) fn post(&self, what: &str, question: &Value) -> Result<Value, MlflowError> {
        let mut request =
            self.agent.post(self.place(what)).header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = self.answer(what, request.send(question.to_string()))?;
        answer.ok_or_else(|| self.refused(what, "there is no such thing"))
    }

    fn place(&self, what: &str) -> String {
        format!("{}/api/2.0/mlflow/{what}", self.address)
    }

    fn answer(
        &self,
        what: &str,
        answer: Result<Response<Body>, Error>,
    ) -> Result<Option<Value>, MlflowError> {
        let unreachable = |error: Error| MlflowError::Unreachable {
            address: self.address.clone(),
            why: match error {
                Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    "nobody listens there".to_owned()
                }
                other => other.to_string(),
            },
        };
        let mut answer = answer.map_err(unreachable)?;
        let text = answer.body_mut().with_config().limit(LONGEST).read_to_string();
        let text = text.map_err(unreachable)?;
        let value: Option<Value> = serde_json::from_str(&text).ok();
        if answer.status().is_success() {
            return value.map(Some).ok_or(MlflowError::Strange);
        }
        match value {
            Some(value) if value["error_code"] == "RESOURCE_DOES_NOT_EXIST" => Ok(None),
            Some(value) if value["message"].is_string() => {
                Err(self.refused(what, value["message"].as_str().unwrap_or_default()))
            }
            _ => Err(self.refused(what, answer.status().as_str())),
        }
    }

    fn refused(&self, what: &str, why: &str) -> MlflowError {
        let (address, what, why) = (self.address.clone(), what.to_owned(), why.to_owned());
        MlflowError::Refused { address, what, why }
    }
}
