//! What every queue promises, whatever its backend.

use std::collections::BTreeSet;
use std::time::Duration;

use election::Ballot;
use queue::{AppendError, Consumer, Delivery, Depth, EntryId, Fate, Progress, Queue, Receipt};
use tokio::time::{sleep, timeout};

use crate::contracts::backends::{Backend, ballot, contract};

/// No entry is claimed from a worker during a test, unless the test says so.
pub const NEVER: Duration = Duration::from_secs(3600);

/// Less than the second after which a waiting worker looks again by itself.
const WITHOUT_PATIENCE: Duration = Duration::from_millis(900);

pub const PLENTY: u64 = 1_000_000;

contract! { [redis, sqlite] {
    what_is_appended_is_taken_in_order_and_as_it_was,
    what_one_worker_took_no_other_is_given,
    what_is_settled_never_comes_back,
    what_a_dead_worker_held_goes_to_another,
    what_a_living_worker_holds_is_left_to_it,
    what_a_slow_worker_renews_is_left_to_it,
    what_was_appended_or_taken_survives_a_kill_of_the_store,
    a_batch_is_no_larger_than_asked_for,
    a_waiting_worker_wakes_for_a_lone_ballot,
    a_full_queue_refuses_and_evicts_nothing,
    many_appends_at_once_are_all_kept,
    an_entry_that_is_no_ballot_comes_with_the_reason,
    what_is_buried_is_a_dead_letter_once_and_never_comes_back,
    a_reader_that_left_is_forgotten_and_what_it_held_is_not,
    a_strange_replica_name_costs_no_vote,
    the_depth_tells_waiting_pending_and_dead,
    the_depth_tells_how_long_the_oldest_ballot_waits,
    a_receipt_tells_behind_how_many_a_ballot_waits_and_when_it_has_left,
    a_receipt_of_a_dead_letter_says_so,
    a_receipt_outlives_a_kill_of_the_store_and_means_nothing_in_another_queue,
}}

async fn what_is_appended_is_taken_in_order_and_as_it_was(backend: Backend) {
    let queue = open(&backend).await;
    let ballots = [ballot(1, 0, 5), ballot(2, 9, i64::MAX), ballot(1, 1, 6)];
    for ballot in &ballots {
        queue.append(ballot.clone(), PLENTY).await.unwrap();
    }
    let taken = take(&mut queue.consumer("w", NEVER), 10).await;
    let taken: Vec<_> = taken.into_iter().map(|delivery| delivery.ballot.unwrap()).collect();
    assert_eq!(taken, ballots);
}

async fn what_one_worker_took_no_other_is_given(backend: Backend) {
    let queue = open(&backend).await;
    fill(&queue, 2).await;
    let (mut one, mut other) = (queue.consumer("one", NEVER), queue.consumer("other", NEVER));
    let mut taken = entries(&take(&mut one, 1).await);
    taken.extend(entries(&take(&mut other, 10).await));
    taken.dedup();
    assert_eq!(taken.len(), 2);
    assert!(other.take(10).await.unwrap().is_empty());
}

async fn what_is_settled_never_comes_back(backend: Backend) {
    let queue = open(&backend).await;
    fill(&queue, 3).await;
    let mut worker = queue.consumer("w", Duration::ZERO);
    let taken = take(&mut worker, 10).await;
    queue.settle(&entries(&taken)).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
    assert!(worker.take(10).await.unwrap().is_empty());
}

async fn what_a_dead_worker_held_goes_to_another(backend: Backend) {
    let queue = open(&backend).await;
    fill(&queue, 2).await;
    let held = take(&mut queue.consumer("dead", NEVER), 10).await;
    let claimed = take(&mut queue.consumer("other", Duration::ZERO), 10).await;
    assert_eq!(entries(&claimed), entries(&held));
}

async fn what_a_living_worker_holds_is_left_to_it(backend: Backend) {
    let queue = open(&backend).await;
    fill(&queue, 1).await;
    let held = take(&mut queue.consumer("alive", NEVER), 10).await;
    assert_eq!(held.len(), 1);
    assert!(queue.consumer("other", NEVER).take(10).await.unwrap().is_empty());
}

async fn what_a_slow_worker_renews_is_left_to_it(backend: Backend) {
    let queue = open(&backend).await;
    fill(&queue, 2).await;
    let mut slow = queue.consumer("slow", NEVER);
    let held = entries(&take(&mut slow, 10).await);
    backend.holds_for(slow.name(), &held, NEVER).await;
    queue.renew(slow.name(), &held).await.unwrap();
    assert!(queue.consumer("other", NEVER).take(10).await.unwrap().is_empty());
    queue.settle(&held).await.unwrap();
    queue.renew(slow.name(), &held).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), Depth::default(), "what is settled is not renewed");
}

async fn what_was_appended_or_taken_survives_a_kill_of_the_store(backend: Backend) {
    let queue = open(&backend).await;
    fill(&queue, 3).await;
    let held = take(&mut queue.consumer("w", NEVER), 1).await;
    assert_eq!(held.len(), 1);
    drop(queue);
    let backend = backend.restart().await;
    let queue = open(&backend).await;
    let mut worker = queue.consumer("w", Duration::ZERO);
    let mut found = BTreeSet::new();
    while found.len() < 3 {
        for delivery in take(&mut worker, 10).await {
            queue.settle(std::slice::from_ref(&delivery.entry)).await.unwrap();
            found.insert(delivery.ballot.unwrap().voter);
        }
    }
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
}

async fn a_batch_is_no_larger_than_asked_for(backend: Backend) {
    let queue = open(&backend).await;
    fill(&queue, 5).await;
    let mut worker = queue.consumer("w", NEVER);
    for expected in [2, 2, 1] {
        assert_eq!(take(&mut worker, 2).await.len(), expected);
    }
}

async fn a_waiting_worker_wakes_for_a_lone_ballot(backend: Backend) {
    let queue = open(&backend).await;
    let mut worker = queue.consumer("w", NEVER);
    let woken = timeout(WITHOUT_PATIENCE, take(&mut worker, 10));
    let (taken, ()) = tokio::join!(woken, fill(&queue, 1));
    assert_eq!(taken.expect("the ballot itself must wake the worker").len(), 1);
}

async fn a_full_queue_refuses_and_evicts_nothing(backend: Backend) {
    let queue = open(&backend).await;
    for voter in 0..3 {
        queue.append(ballot(voter, 0, 1), 3).await.unwrap();
    }
    let refused = queue.append(ballot(3, 0, 1), 3).await;
    assert!(matches!(refused, Err(AppendError::Refused(_))), "{refused:?}");
    assert_eq!(queue.depth().await.unwrap().untaken, 3);
    let taken = take(&mut queue.consumer("w", NEVER), 2).await;
    // There is room again, though the oldest and the newest are still there.
    queue.settle(&entries(&taken)[1..]).await.unwrap();
    queue.append(ballot(3, 0, 1), 3).await.unwrap();
}

async fn many_appends_at_once_are_all_kept(backend: Backend) {
    let queue = open(&backend).await;
    let appends: Vec<_> = (0..500)
        .map(|voter| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.append(ballot(voter, 0, 1), PLENTY).await })
        })
        .collect();
    for append in appends {
        append.await.unwrap().unwrap();
    }
    assert_eq!(queue.depth().await.unwrap().untaken, 500);
}

async fn an_entry_that_is_no_ballot_comes_with_the_reason(backend: Backend) {
    let queue = open(&backend).await;
    backend.poison().await;
    fill(&queue, 1).await;
    let taken = take(&mut queue.consumer("w", NEVER), 10).await;
    let outcomes: Vec<bool> = taken.iter().map(|delivery| delivery.ballot.is_ok()).collect();
    assert_eq!(outcomes, [false, true]);
}

async fn what_is_buried_is_a_dead_letter_once_and_never_comes_back(backend: Backend) {
    let queue = open(&backend).await;
    backend.poison().await;
    let mut worker = queue.consumer("w", Duration::ZERO);
    let taken = take(&mut worker, 10).await;
    for _holder in ["this one", "another that held it too"] {
        queue.bury(&taken[0].entry, "no ballot").await.unwrap();
    }
    assert_eq!(queue.depth().await.unwrap(), Depth { dead: 1, ..Depth::default() });
    assert!(worker.take(10).await.unwrap().is_empty());
}

async fn a_reader_that_left_is_forgotten_and_what_it_held_is_not(backend: Backend) {
    let queue = open(&backend).await;
    let mut leaves = queue.consumer("leaves", NEVER);
    fill(&queue, 1).await;
    let held = take(&mut leaves, 10).await;
    leaves.leave().await.unwrap();
    let claimed = take(&mut queue.consumer("other", Duration::ZERO), 10).await;
    assert_eq!(entries(&claimed), entries(&held));
}

async fn a_strange_replica_name_costs_no_vote(backend: Backend) {
    let queue = open(&backend).await;
    queue.append(Ballot { via: "x\n".repeat(500), ..ballot(1, 0, 1) }, PLENTY).await.unwrap();
    let taken = take(&mut queue.consumer("w", NEVER), 10).await;
    assert!(taken[0].ballot.is_ok(), "{taken:?}");
}

async fn the_depth_tells_waiting_pending_and_dead(backend: Backend) {
    let queue = open(&backend).await;
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
    fill(&queue, 5).await;
    take(&mut queue.consumer("w", NEVER), 2).await;
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.untaken, depth.pending, depth.dead), (3, 2, 0));
}

async fn the_depth_tells_how_long_the_oldest_ballot_waits(backend: Backend) {
    const A_WHILE: Duration = Duration::from_millis(300);
    let queue = open(&backend).await;
    for voter in 0..2 {
        let now_ms = queue.probe().await.unwrap().now_ms;
        queue.append(ballot(voter, 0, now_ms), PLENTY).await.unwrap();
        sleep(A_WHILE).await;
    }
    let oldest = queue.depth().await.unwrap().oldest;
    assert!(oldest >= Some(2 * A_WHILE), "{oldest:?}");
    let taken = take(&mut queue.consumer("w", NEVER), 10).await;
    queue.settle(&entries(&taken)).await.unwrap();
    assert_eq!(queue.depth().await.unwrap().oldest, None);
}

async fn a_receipt_tells_behind_how_many_a_ballot_waits_and_when_it_has_left(backend: Backend) {
    let queue = open(&backend).await;
    let receipts = [append(&queue, 1).await, append(&queue, 2).await, append(&queue, 3).await];
    assert_eq!(fates(&queue, &receipts).await, [Fate::Waits(0), Fate::Waits(1), Fate::Waits(2)]);
    let taken = take(&mut queue.consumer("w", NEVER), 2).await;
    queue.settle(&entries(&taken)).await.unwrap();
    assert_eq!(fates(&queue, &receipts).await, [Fate::Counted, Fate::Counted, Fate::Waits(0)]);
    let later = append(&queue, 4).await;
    assert_eq!(fates(&queue, &[later]).await, [Fate::Waits(1)]);
}

async fn a_receipt_of_a_dead_letter_says_so(backend: Backend) {
    let queue = open(&backend).await;
    let receipts = [append(&queue, 1).await, append(&queue, 2).await];
    let taken = take(&mut queue.consumer("w", NEVER), 10).await;
    let before = queue.progress(Progress::default()).await.unwrap();
    queue.bury(&taken[0].entry, "a test").await.unwrap();
    queue.settle(&entries(&taken[1..])).await.unwrap();
    let after = queue.progress(before).await.unwrap();
    for look in [queue.progress(after.clone()).await.unwrap(), after] {
        assert_eq!([look.fate(&receipts[0]), look.fate(&receipts[1])], [Fate::Dead, Fate::Counted]);
    }
}

async fn a_receipt_outlives_a_kill_of_the_store_and_means_nothing_in_another_queue(backend: Backend) {
    let queue = open(&backend).await;
    let receipts = [append(&queue, 1).await, append(&queue, 2).await];
    let other = Receipt { epoch: election::random_uuid(), ..receipts[0].clone() };
    assert_eq!(fates(&queue, &[other]).await, [Fate::Unknown]);
    drop(queue);
    let backend = backend.restart().await;
    let queue = open(&backend).await;
    assert_eq!(fates(&queue, &receipts).await, [Fate::Waits(0), Fate::Waits(1)]);
    assert_eq!(append(&queue, 3).await.epoch, receipts[0].epoch);
}

async fn append(queue: &Queue, voter: u128) -> Receipt {
    queue.append(ballot(voter, 0, 1), PLENTY).await.unwrap()
}

async fn fates(queue: &Queue, receipts: &[Receipt]) -> Vec<Fate> {
    let progress = queue.progress(Progress::default()).await.unwrap();
    receipts.iter().map(|receipt| progress.fate(receipt)).collect()
}

/// Opens the queue. The probe makes the connection.
pub async fn open(backend: &Backend) -> Queue {
    let queue = backend.queue();
    queue.probe().await.unwrap();
    queue
}

async fn fill(queue: &Queue, count: u128) {
    for voter in 0..count {
        queue.append(ballot(voter, 0, 1), PLENTY).await.unwrap();
    }
}

/// Takes until there is an entry, because a queue may return none.
pub async fn take(consumer: &mut Consumer, max: usize) -> Vec<Delivery> {
    loop {
        let taken = consumer.take(max).await.unwrap();
        if !taken.is_empty() {
            return taken;
        }
    }
}

fn entries(deliveries: &[Delivery]) -> Vec<EntryId> {
    deliveries.iter().map(|delivery| delivery.entry.clone()).collect()
}
