//! What becomes of each ballot when many are appended at once.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use harness::Redis;
use queue::{AppendError, Delivery, Depth, Fate, Progress, Queue, RedisQueue};
use store::redis::RedisSettings;

use crate::contracts::backends::{Backend, ballot, contract};
use crate::contracts::queue_contract::{NEVER, PLENTY, open, take};

/// After seven more entries, there is no higher id for another.
const ALMOST_THE_LAST: &str = "18446744073709551615-18446744073709551608";

contract! { [redis, sqlite] {
    of_many_at_once_those_for_which_there_is_room_are_kept_and_the_others_refused,
    while_the_queue_is_not_trusted_it_refuses,
}}

async fn of_many_at_once_those_for_which_there_is_room_are_kept_and_the_others_refused(backend: Backend) {
    let queue = open(&backend).await;
    let appends = (0..100).map(|voter| queue.append(ballot(voter, 0, 1), 30));
    let answers = join_all(appends).await;
    let recorded: BTreeSet<u128> = (0..100).filter(|voter| answers[*voter as usize].is_ok()).collect();
    assert_eq!(recorded.len(), 30);
    assert!(answers.iter().all(|answer| !matches!(answer, Err(AppendError::Unconfirmed(_)))));
    let taken = take(&mut queue.consumer("w", NEVER), 100).await;
    let kept: BTreeSet<u128> = taken.iter().map(voter).collect();
    assert_eq!(kept, recorded);
    // Each receipt is that of the voter's own entry.
    for delivery in taken {
        let receipt = answers[voter(&delivery) as usize].as_ref().unwrap();
        assert_eq!(receipt.entry, delivery.entry);
    }
    let places: BTreeSet<u64> = answers.iter().flatten().map(|receipt| receipt.place).collect();
    assert_eq!(places, (1..=30).collect());
}

async fn while_the_queue_is_not_trusted_it_refuses(backend: Backend) {
    let queue = open(&backend).await;
    queue.trust(false);
    let refused = queue.append(ballot(1, 0, 1), PLENTY).await;
    assert!(matches!(refused, Err(AppendError::Refused(_))), "{refused:?}");
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
    queue.trust(true);
    queue.append(ballot(1, 0, 1), PLENTY).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_redis_refuses_halfway_tells_the_fate_of_each_ballot() {
    let redis = Redis::start().await;
    let queue = Queue::Redis(RedisQueue::new(RedisSettings::at(&redis.url()).connection().unwrap()));
    queue.probe().await.unwrap();
    queue.append(ballot(0, 0, 1), PLENTY).await.unwrap();
    let mut command = ::redis::cmd("XSETID");
    command.arg("urna:votes").arg(ALMOST_THE_LAST);
    command.exec_async(&mut redis.connection().await).await.unwrap();
    let answers = join_all((1..=20).map(|voter| queue.append(ballot(voter, 0, 1), PLENTY))).await;
    let (recorded, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((recorded.len(), refused.len()), (7, 13));
    assert!(refused.iter().all(|answer| matches!(answer, Err(AppendError::Refused(_)))), "{refused:?}");
    assert_eq!(queue.depth().await.unwrap().untaken, 8);
    // What was refused was not counted either.
    let progress = queue.progress(Progress::default()).await.unwrap();
    for (ahead, receipt) in (1..).zip(recorded.into_iter().flatten()) {
        assert_eq!(progress.fate(&receipt), Fate::Waits(ahead));
    }
}

/// The number that the ballot's voter has in these tests.
fn voter(delivery: &Delivery) -> u128 {
    delivery.ballot.as_ref().unwrap().voter.0.as_u128()
}
