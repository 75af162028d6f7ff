//! What becomes of each ballot of a call that Redis does only in part.

use futures_util::future::join_all;
use harness::Redis;
use queue::{AppendError, Fate, Progress, Queue, RedisQueue};
use store::redis::RedisSettings;

use crate::contracts::backends::ballot;

const PLENTY: u64 = 1_000_000;

/// After seven more entries, there is no higher id for another.
const ALMOST_THE_LAST: &str = "18446744073709551615-18446744073709551608";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_redis_refuses_halfway_tells_the_fate_of_each_ballot() {
    let redis = Redis::start().await;
    let queue = Queue::Redis(RedisQueue::new(RedisSettings::at(&redis.url()).connection().unwrap()));
    queue.probe().await.unwrap();
    queue.append(ballot(0, 0, 1), PLENTY).await.unwrap();
    let mut command = redis::cmd("XSETID");
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
