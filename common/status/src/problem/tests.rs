use presence::Announcement;
use uuid::Uuid;

use super::*;
use crate::Loss;
use crate::reading::{LedgerReading, QueueReading};

const POLL: &str = "lunch";

fn replica(kind: Kind, name: &str, heard: Duration) -> Replica {
    let announcement = Announcement {
        kind,
        name: name.to_owned(),
        release: "1".to_owned(),
        node: None,
        poll: (kind != Kind::Worker).then(|| POLL.to_owned()),
        running_ms: 60_000,
        lately: 0,
        idle_ms: None,
        viewers: None,
        lacks: Vec::new(),
        has_warnings: false,
        leaving: false,
        fault: None,
    };
    Replica { id: Uuid::from_u128(1), announcement, heard }
}

/// One replica of each kind, and nothing is wrong.
fn well() -> Reading {
    let replicas = [Kind::Vote, Kind::Worker, Kind::Result];
    let replicas = replicas.map(|kind| replica(kind, &format!("{kind}-1"), Duration::ZERO)).into();
    let queue = QueueReading { replicas, is_complete: true, ..Default::default() };
    let ledger = LedgerReading { live: Some(true), total: Some(1), ..Default::default() };
    Reading { queue: Some(queue), ledger, answering: Duration::from_secs(60), ..Default::default() }
}

fn judged(hop: Hop, change: impl FnOnce(&mut Reading, &mut QueueReading)) -> (HopState, Option<Problem>) {
    let mut reading = well();
    let mut queue = reading.queue.take().unwrap();
    change(&mut reading, &mut queue);
    reading.queue = Some(queue);
    judge(hop, &reading, POLL)
}

#[test]
fn while_all_is_well_nothing_is_wrong() {
    for hop in Hop::ALL {
        assert_eq!(judge(hop, &well(), POLL), (HopState::Well, None), "{hop:?}");
    }
}

#[test]
fn a_silent_replica_of_two_is_doubtful_and_the_only_one_is_broken() {
    let names = || vec!["vote-1".to_owned()];
    let silent = |more: Option<Replica>| {
        judged(Hop::Vote, |_, queue| {
            queue.replicas[0].heard = Duration::from_secs(8);
            queue.replicas.extend(more);
        })
    };
    let not_heard = Some(Problem::NotHeard { names: names(), heard: Duration::from_secs(8) });
    assert_eq!(silent(None), (HopState::Broken, not_heard.clone()));
    let other = replica(Kind::Vote, "vote-2", Duration::ZERO);
    assert_eq!(silent(Some(other)), (HopState::Doubtful, not_heard));
    let refusing = judged(Hop::Vote, |_, queue| queue.replicas[0].announcement.lacks = vec![Store::Queue]);
    assert_eq!(refusing, (HopState::Broken, Some(Problem::Refuses(names()))));
}

#[test]
fn a_replica_that_has_just_started_may_lack_its_stores() {
    let lacking = |running_ms| {
        judged(Hop::Worker, |_, queue| {
            let worker = &mut queue.replicas[1].announcement;
            (worker.lacks, worker.running_ms) = (vec![Store::Ledger], running_ms);
        })
    };
    assert_eq!(lacking(1_000).0, HopState::Well);
    assert_eq!(lacking(6_000), (HopState::Broken, Some(Problem::WithoutLedger(vec!["worker-1".to_owned()]))));
}

#[test]
fn votes_that_wait_longer_than_a_claim_takes_are_held_up_unless_a_worker_counts_on() {
    let waited = |seconds, idle_ms| {
        judged(Hop::Worker, |_, queue| {
            queue.depth.oldest = Some(Duration::from_secs(seconds));
            queue.replicas[1].announcement.idle_ms = idle_ms;
        })
        .0
    };
    assert_eq!([waited(14, None), waited(16, None)], [HopState::Well, HopState::Broken]);
    assert_eq!([waited(16, Some(100)), waited(90, Some(60_000))], [HopState::Doubtful, HopState::Broken]);
}

#[test]
fn a_setback_is_told_of_its_store_and_for_an_hour() {
    let told = |hop, ago| {
        let setback = Setback { at_ms: 0, store: Store::Queue, loss: Loss::Wiped, exposed: None };
        judged(hop, |_, queue| queue.setbacks.push((setback, Duration::from_secs(ago)))).0
    };
    assert_eq!([told(Hop::Queue, 60), told(Hop::Queue, 3_700)], [HopState::Doubtful, HopState::Well]);
    assert_eq!(told(Hop::Ledger, 60), HopState::Well);
}

#[test]
fn other_labels_are_told_where_totals_are_shown_and_blame_no_store() {
    let relabelled =
        || Relabelled { choice: "a".parse().unwrap(), was: "Soup".to_owned(), is: "Salad".to_owned() };
    let told = |hop| judged(hop, |reading, _| reading.ledger.relabelled.push(relabelled()));
    let problem = Problem::Relabelled(vec![relabelled()]);
    assert!(!problem.holds_up_votes());
    assert_eq!(told(Hop::Result), (HopState::Doubtful, Some(problem)));
    assert_eq!([told(Hop::Ledger).0, told(Hop::Vote).0], [HopState::Well, HopState::Well]);
}

#[test]
fn of_several_problems_the_worst_is_told() {
    let found = judged(Hop::Worker, |_, queue| {
        queue.replicas.push(replica(Kind::Worker, "worker-2", Duration::from_secs(9)));
        queue.replicas[1].announcement.lacks = vec![Store::Ledger];
    });
    assert_eq!(found, (HopState::Broken, Some(Problem::WithoutLedger(vec!["worker-1".to_owned()]))));
}

#[test]
fn without_announcements_no_replica_is_blamed() {
    let unsettled = |hop| {
        judged(hop, |_, queue| {
            (queue.is_complete, queue.takes_no_writes) = (false, true);
            queue.replicas.iter_mut().for_each(|replica| replica.heard = Duration::from_secs(9));
        })
    };
    assert_eq!(unsettled(Hop::Worker), (HopState::Unknown, Some(Problem::NotKnown)));
    assert_eq!(unsettled(Hop::Queue), (HopState::Broken, Some(Problem::TakesNoWrites)));
}

#[test]
fn a_ledger_that_a_worker_can_use_is_not_called_away() {
    let away = |idle_ms| {
        judged(Hop::Ledger, |reading, queue| {
            (reading.ledger.live, reading.ledger.away) = (Some(false), Duration::from_secs(20));
            queue.replicas[1].announcement.idle_ms = idle_ms;
        })
        .1
    };
    assert_eq!(away(Some(1_000)), Some(Problem::CutOff));
    assert_eq!([away(Some(30_000)), away(None)], [Some(Problem::LedgerAway), Some(Problem::LedgerAway)]);
}

#[test]
fn no_worker_is_blamed_for_votes_that_waited_for_a_store() {
    let waited = |live, answering| {
        judged(Hop::Worker, |reading, queue| {
            queue.depth.oldest = Some(Duration::from_secs(20));
            (reading.ledger.live, reading.answering) = (Some(live), Duration::from_secs(answering));
        })
        .0
    };
    assert_eq!(waited(false, 0), HopState::Well, "the ledger is away");
    assert_eq!([waited(true, 4), waited(true, 6)], [HopState::Well, HopState::Broken], "it is back");
}
