//! What every store promises about the labels of a poll, whatever its backend.

use election::{Labels, PollId};

use crate::contracts::backends::{Backend, contract, poll};

contract! { [redis, postgres, sqlite] {
    a_poll_without_labels_has_none,
    labels_are_kept_as_they_were_in_any_script,
    the_label_that_an_option_had_first_stays,
    a_new_option_gets_its_label_and_no_other_poll_does,
    labels_survive_a_kill_of_the_store,
}}

async fn a_poll_without_labels_has_none(backend: Backend) {
    assert_eq!(kept(&backend, &poll()).await, Labels::new());
}

async fn labels_are_kept_as_they_were_in_any_script(backend: Backend) {
    let labels = labels(&["Суп «дня» 🍲", "קפה", "  O'Brien's \\ \"salad\" %s {label} ", "x"]);
    keep(&backend, &poll(), &labels).await;
    assert_eq!(kept(&backend, &poll()).await, labels);
}

async fn the_label_that_an_option_had_first_stays(backend: Backend) {
    let first = labels(&["Soup", "Salad"]);
    keep(&backend, &poll(), &first).await;
    keep(&backend, &poll(), &labels(&["Salad", "Soup"])).await;
    assert_eq!(kept(&backend, &poll()).await, first);
}

async fn a_new_option_gets_its_label_and_no_other_poll_does(backend: Backend) {
    keep(&backend, &poll(), &labels(&["Soup", "Salad"])).await;
    keep(&backend, &poll(), &labels(&["Soup", "Salad", "Neither"])).await;
    assert_eq!(kept(&backend, &poll()).await, labels(&["Soup", "Salad", "Neither"]));
    assert_eq!(kept(&backend, &"contract-2".parse().unwrap()).await, Labels::new());
}

async fn labels_survive_a_kill_of_the_store(backend: Backend) {
    let labels = labels(&["Soup", "Salad"]);
    keep(&backend, &poll(), &labels).await;
    let backend = backend.restart().await;
    assert_eq!(kept(&backend, &poll()).await, labels);
}

fn labels(labels: &[&str]) -> Labels {
    election::Choice::all().zip(labels.iter().map(ToString::to_string)).collect()
}

/// Keeps labels in the queue, in the ledger, or, where one file is both, in both.
async fn keep(backend: &Backend, poll: &PollId, labels: &Labels) {
    if !matches!(backend, Backend::Postgres(_)) {
        let queue = backend.queue();
        queue.probe().await.unwrap();
        queue.keep_labels(poll, labels).await.unwrap();
    }
    if !matches!(backend, Backend::Redis(_)) {
        backend.ledger().keep_labels(poll, labels).await.unwrap();
    }
}

async fn kept(backend: &Backend, poll: &PollId) -> Labels {
    match backend {
        Backend::Redis(_) => backend.queue().labels(poll).await.unwrap(),
        Backend::Postgres(_) => backend.ledger().labels(poll).await.unwrap(),
        Backend::Sqlite(..) => {
            let labels = backend.ledger().labels(poll).await.unwrap();
            assert_eq!(backend.queue().labels(poll).await.unwrap(), labels);
            labels
        }
    }
}
