//! What every registry of the replicas promises, wherever it is kept.

use election::random_uuid;
use harness::Redis;
use presence::{Announcement, Kind, LocalRegistry, RedisRegistry, Registry};
use store::redis::RedisSettings;

#[tokio::test]
async fn a_replica_is_listed_in_redis_from_its_announcement_until_it_leaves() {
    let redis = Redis::start().await;
    let connection = RedisSettings::at(&redis.url()).connection().unwrap();
    lists_a_replica_until_it_leaves(Registry::Redis(RedisRegistry::new(connection))).await;
}

#[tokio::test]
async fn a_replica_is_listed_in_memory_from_its_announcement_until_it_leaves() {
    lists_a_replica_until_it_leaves(Registry::Local(LocalRegistry::default())).await;
}

async fn lists_a_replica_until_it_leaves(registry: Registry) {
    let (one, namesake) = (random_uuid(), random_uuid());
    for (replica, lately) in [(one, 1), (namesake, 2), (one, 3)] {
        registry.announce(replica, &announcement(lately)).await.unwrap();
    }
    let mut listed = registry.listing().await.unwrap().replicas;
    listed.sort_by_key(|replica| replica.announcement.lately);
    let said: Vec<_> = listed.iter().map(|replica| &replica.announcement).collect();
    assert_eq!(said, [&announcement(2), &announcement(3)], "each with its last announcement");
    assert!(listed.iter().all(|replica| !replica.is_silent()));
    registry.leave(one).await.unwrap();
    assert_eq!(registry.listing().await.unwrap().replicas.len(), 1);
}

#[tokio::test]
async fn of_two_who_note_the_history_in_redis_one_is_too_late() {
    let redis = Redis::start().await;
    let connection = RedisSettings::at(&redis.url()).connection().unwrap();
    keeps_one_history(Registry::Redis(RedisRegistry::new(connection))).await;
}

#[tokio::test]
async fn of_two_who_note_the_history_in_memory_one_is_too_late() {
    keeps_one_history(Registry::Local(LocalRegistry::default())).await;
}

async fn keeps_one_history(registry: Registry) {
    assert_eq!(registry.listing().await.unwrap().history, None);
    assert!(registry.replace_history(None, "first").await.unwrap());
    assert!(!registry.replace_history(None, "too late").await.unwrap());
    assert!(registry.replace_history(Some("first"), "second").await.unwrap());
    assert_eq!(registry.listing().await.unwrap().history.as_deref(), Some("second"));
}

fn announcement(lately: u64) -> Announcement {
    Announcement {
        kind: Kind::Vote,
        name: "vote-1".to_owned(),
        release: "1.2.3".to_owned(),
        node: Some("worker2".to_owned()),
        poll: None,
        running_ms: 1,
        lately,
        idle_ms: None,
        viewers: None,
        lacks: Vec::new(),
        has_warnings: false,
        leaving: false,
        fault: None,
    }
}
