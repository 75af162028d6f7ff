//! The labels for which votes were recorded: a hash with one field for each option of each poll.

use election::{Choice, Labels, PollId, clean_label};
use redis::Cmd;
use store::Unavailable;

use super::RedisQueue;

/// The hash. It outlives its votes, and takes less than a kilobyte for each poll.
const LABELS: &str = "urna:labels";

impl RedisQueue {
    /// Keeps all labels in one transaction, so that labels of two polls with one id are not mixed.
    pub(crate) async fn keep_labels(&self, poll: &PollId, labels: &Labels) -> Result<(), Unavailable> {
        let Some(opened) = self.connection.current() else {
            return Err(Unavailable("not connected to Redis".to_owned()));
        };
        let mut commands = redis::pipe();
        commands.atomic();
        for (choice, label) in labels {
            commands.hset_nx(LABELS, field(poll, *choice), label).ignore();
        }
        let kept = self.connection.run_all_on(opened, &commands).await;
        kept.map_err(|error| self.connection.unavailable(error))
    }

    /// Anybody may have written anything there, so the labels are cleaned.
    pub(crate) async fn labels(&self, poll: &PollId) -> Result<Labels, Unavailable> {
        let fields: Vec<String> = Choice::all().map(|choice| field(poll, choice)).collect();
        let kept = self.connection.run(&Cmd::hmget(LABELS, &fields)).await;
        let kept: Vec<Option<String>> = kept.map_err(|error| self.connection.unavailable(error))?;
        let label = |(choice, label): (Choice, Option<String>)| Some((choice, clean_label(&label?)));
        Ok(Choice::all().zip(kept).filter_map(label).collect())
    }
}

fn field(poll: &PollId, choice: Choice) -> String {
    format!("{poll} {choice}")
}
