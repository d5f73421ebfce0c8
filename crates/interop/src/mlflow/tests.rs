//! Against a server that answers as MLflow does, as far as it is asked, and refuses what MLflow refuses.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use pleach_core::life::ConfigurationId;

use super::*;
use crate::sample;

#[derive(Default)]
struct There {
    has_experiment: bool,
    runs: Vec<Value>,
    /// Metrics and parameters, in the order in which they came.
    logged: Vec<(String, Value)>,
    /// After so many requests everything is refused.
    patience: Option<usize>,
}

impl There {
    fn answer(&mut self, what: &str, question: &Value) -> (u16, Value) {
        let no = |code: &str| (404, json!({ "error_code": code, "message": "no" }));
        if let Some(patience) = &mut self.patience {
            if *patience == 0 {
                return no("INTERNAL_ERROR");
            }
            *patience -= 1;
        }
        let id = question["run_id"].as_str().unwrap_or_default();
        match what.split('?').next().unwrap() {
            "experiments/get-by-name" if self.has_experiment => (
                200,
                json!({ "experiment": { "experiment_id": "5", "lifecycle_stage": "active" } }),
            ),
            "experiments/get-by-name" => no("RESOURCE_DOES_NOT_EXIST"),
            "experiments/create" => {
                self.has_experiment = true;
                (200, json!({ "experiment_id": "5" }))
            }
            // Two runs to a page.
            "runs/search" => {
                let start = question["page_token"].as_str().map_or(0, |page| page.parse().unwrap());
                let page: Vec<_> = self.runs.iter().skip(start).take(2).collect();
                let next = (start + 2 < self.runs.len()).then(|| (start + 2).to_string());
                (200, json!({ "runs": page, "next_page_token": next }))
            }
            "runs/create" => {
                let id = format!("r{}", self.runs.len());
                let run = json!({ "info": { "run_id": id, "status": "RUNNING" }, "data": { "tags": question["tags"] } });
                self.runs.push(run.clone());
                (200, json!({ "run": run }))
            }
            "runs/log-batch" => {
                let all = |key: &str| question[key].as_array().cloned().unwrap_or_default();
                if 1000 < all("metrics").len() || 100 < all("params").len() {
                    return no("INVALID_PARAMETER_VALUE");
                }
                let all = all("params").into_iter().chain(all("metrics"));
                self.logged.extend(all.map(|one| (id.to_owned(), one)));
                (200, json!({}))
            }
            "runs/update" | "runs/delete" => {
                let run = self.runs.iter_mut().find(|run| run["info"]["run_id"] == id).unwrap();
                match what {
                    "runs/update" => run["info"]["status"] = question["status"].clone(),
                    _ => run["data"]["tags"] = json!([]),
                }
                (200, json!({}))
            }
            _ => no("ENDPOINT_NOT_FOUND"),
        }
    }
}

fn attend(mut stream: TcpStream, there: &Mutex<There>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    loop {
        let mut first = String::new();
        if lines.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            lines.read_line(&mut header)?;
            let header = header.to_lowercase();
            match header.split_once(": ") {
                Some(("content-length", number)) => length = number.trim().parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body)?;
        let question = serde_json::from_slice(&body).unwrap_or_default();
        let path = first.split(' ').nth(1).unwrap();
        let what = path.strip_prefix("/api/2.0/mlflow/").unwrap();
        let (status, answer) = there.lock().unwrap().answer(what, &question);
        let answer = answer.to_string();
        let length = answer.len();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{answer}");
        stream.write_all(answer.as_bytes())?;
    }
}

fn serve(there: There) -> (Server, Arc<Mutex<There>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let there = Arc::new(Mutex::new(there));
    let shared = Arc::clone(&there);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || drop(attend(stream.unwrap(), &shared)));
        }
    });
    (Server::new(&address, None).unwrap(), there)
}

/// Done, diverged, failed and waiting.
fn sweep() -> Vec<TrialDetail> {
    let mut long = sample::trial(1, TrialStatus::Done, Some(0.5));
    long.metrics = (1..=1200).map(|step| (step, vec![("loss".to_owned(), step as f64)])).collect();
    vec![
        long,
        sample::trial(2, TrialStatus::Diverged, Some(f64::NAN)),
        sample::trial(3, TrialStatus::Failed, None),
        sample::trial(4, TrialStatus::Waiting, None),
    ]
}

fn send(server: &Server, trials: &[TrialDetail]) -> Result<Sent, ExportError> {
    let row = Row {
        configuration: ConfigurationId(1),
        parameters: sample::parameters(),
        trials: Vec::new(),
    };
    let fixed = Parameters::from([(
        "model".to_owned(),
        pleach_core::value::Value::Text("mlp-32".to_owned()),
    )]);
    send_all(&[row], &fixed, "x", server, |take| trials.iter().try_for_each(take))
}

/// Of every run that is finished, how it ended and what is there of it.
fn runs(there: &There) -> Vec<String> {
    let run = |run: &Value| {
        let id = run["info"]["run_id"].as_str().unwrap();
        let logged = there.logged.iter().filter(|(of, _)| of == id).count();
        let trial = &run["data"]["tags"][1]["value"];
        format!("trial {trial} {} {logged}", run["info"]["status"])
    };
    let is_whole = |run: &&Value| run["info"]["status"] != "RUNNING";
    there.runs.iter().filter(is_whole).map(run).collect()
}

const ALL: [&str; 3] =
    [r#"trial "1" "FINISHED" 1207"#, r#"trial "2" "FAILED" 11"#, r#"trial "3" "FAILED" 10"#];

#[test]
fn every_trial_that_ended_is_there_once() {
    let (server, there) = serve(There::default());
    let sent = send(&server, &sweep()).unwrap();
    assert_eq!(sent, Sent { new: 3, kept: 0, waiting: 1, cut: 0 });
    assert_eq!(runs(&there.lock().unwrap()), ALL);
    let logged = |key: &str| {
        let there = there.lock().unwrap();
        let mut found = there.logged.iter().filter(|(run, one)| run == "r1" && one["key"] == key);
        found.next_back().map(|(_, one)| one.clone()).unwrap()
    };
    assert_eq!(logged("schedule"), json!({ "key": "schedule", "value": "cosine, \"ä\"" }));
    assert_eq!(logged("model"), json!({ "key": "model", "value": "mlp-32" }));
    let nan =
        json!({ "key": "loss", "value": "NaN", "step": 20, "timestamp": 1_700_000_002_500_i64 });
    assert_eq!(logged("loss"), nan);
    assert_eq!(logged("objective")["value"], "NaN");
    assert_eq!(logged("acc __1_")["value"], 0.2);

    let again = send(&server, &sweep()).unwrap();
    assert_eq!(again, Sent { new: 0, kept: 3, waiting: 1, cut: 0 });
    assert_eq!(there.lock().unwrap().runs.len(), 3);
}

#[test]
fn an_export_that_was_broken_off_is_made_good() {
    for patience in 2..14 {
        let (server, there) = serve(There { patience: Some(patience), ..There::default() });
        let error = send(&server, &sweep()).unwrap_err();
        assert!(error.to_string().ends_with(": no"), "{error}");
        there.lock().unwrap().patience = None;
        send(&server, &sweep()).unwrap();
        let mut runs = runs(&there.lock().unwrap());
        runs.sort();
        assert_eq!(runs, ALL, "{patience}");
    }
}

#[test]
fn a_server_that_is_none_is_told() {
    let said = |address: &str| match Server::new(address, None) {
        Ok(server) => send(&server, &[]).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    insta::assert_snapshot!(said("mlruns"), @r#"`mlruns` is no address of a server, such as http://127.0.0.1:5000"#);
    insta::assert_snapshot!(said("http://127.0.0.1:1/"), @r#"there is no MLflow server at http://127.0.0.1:1 that answers: nobody listens there; start one with `mlflow server`"#);
}
