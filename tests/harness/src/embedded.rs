//! The embedded program, with a data folder of its own.

use std::path::Path;

use super::{Service, free_port, totals_of};

/// The embedded program, on free ports.
pub struct Embedded {
    pub service: Service,
    pub vote: String,
    pub result: String,
}

impl Embedded {
    pub async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// Starts it with further variables, and waits until both pages answer.
    pub async fn start_with(data: &Path, more: &[(&str, &str)]) -> Self {
        let (vote, result) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
        let data = data.to_str().expect("a path in UTF-8");
        let usual = [("DATA", data), ("VOTE_LISTEN", &vote), ("RESULT_LISTEN", &result)];
        let mut service = Service::spawn("urna", &[&usual, more].concat());
        service.line("Stop with Ctrl-C").await;
        let given = |name, usual| more.iter().find(|given| given.0 == name).map_or(usual, |given| given.1);
        let vote = format!("http://{}", given("VOTE_LISTEN", vote.as_str()));
        let result = format!("http://{}", given("RESULT_LISTEN", result.as_str()));
        totals_of(&result, "the first totals", |totals| totals["live"] == true).await;
        Self { service, vote, result }
    }
}
