use presence::Announcement;

use super::Happening::{Appeared, Away, Back, FellSilent, Heard, Left, Restarted, Rollout};
use super::*;

/// Replicas that are listed, by number: their names, their releases, and for how many seconds each was not heard.
type Listed<'a> = &'a [(u128, &'a str, &'a str, u64)];

fn reading(listed: Listed<'_>) -> QueueReading {
    let replicas = listed.iter().map(|(id, name, release, heard)| Replica {
        id: Uuid::from_u128(*id),
        announcement: serde_json::from_value::<Announcement>(
            serde_json::json!({ "kind": "vote", "name": name, "version": release }),
        )
        .unwrap(),
        heard: Duration::from_secs(*heard),
    });
    QueueReading { replicas: replicas.collect(), is_complete: true, ..QueueReading::default() }
}

fn sight(queue: &QueueReading) -> Sight<'_> {
    Sight {
        now_ms: 100_000,
        witness: Uuid::from_u128(9),
        queue,
        queue_was_away: None,
        ledger_live: Some(true),
        ledger_away: Duration::ZERO,
    }
}

impl History {
    fn after(&self, listed: Listed<'_>) -> Self {
        self.next(&sight(&reading(listed)))
    }

    fn newest(&self) -> &Happening {
        &self.events[0].what
    }
}

#[test]
fn a_replica_comes_falls_silent_is_heard_again_and_leaves() {
    let here = History::default().after(&[(1, "vote-1", "1", 0)]);
    assert!(matches!(here.newest(), Appeared(who) if who.name == "vote-1"), "{here:?}");
    assert_eq!(here.after(&[(1, "vote-1", "1", 3)]), here, "nothing happened");
    let silent = here.after(&[(1, "vote-1", "1", 8)]);
    assert!(matches!(silent.newest(), FellSilent(_)), "{silent:?}");
    assert!(matches!(silent.after(&[(1, "vote-1", "1", 0)]).newest(), Heard(_)));
    assert_eq!(silent.after(&[]).events, silent.events, "a silent one that is forgotten was told before");
    assert!(matches!(here.after(&[]).newest(), Left(_)));
}

#[test]
fn a_replica_that_runs_again_under_its_name_has_restarted_once() {
    let here = History::default().after(&[(1, "vote-1", "1", 0)]);
    let both: Listed<'_> = &[(1, "vote-1", "1", 3), (2, "vote-1", "1", 0)];
    let again = here.after(both);
    assert!(matches!(again.newest(), Restarted(_)), "{again:?}");
    assert_eq!(again.after(both), again, "the dead one stays listed for a while");
    let alone = again.after(&[(2, "vote-1", "1", 0)]);
    assert_eq!(alone.events, again.events, "and is not missed");
    assert_eq!(alone.events.len(), 2);
}

#[test]
fn namesakes_are_two_replicas() {
    let both: Listed<'_> = &[(1, "vote", "1", 1), (2, "vote", "1", 1)];
    let here = History::default().after(both);
    assert_eq!(here.events.len(), 2);
    assert_eq!(here.after(both), here);
}

#[test]
fn nobody_leaves_or_falls_silent_while_the_list_is_not_complete() {
    let here = History::default().after(&[(1, "vote-1", "1", 0)]);
    let lost = QueueReading { is_complete: false, ..QueueReading::default() };
    assert_eq!(here.next(&sight(&lost)), here);
    let late = QueueReading { is_complete: false, ..reading(&[(1, "vote-1", "1", 9)]) };
    assert_eq!(here.next(&sight(&late)), here, "nobody could announce anything");
}

#[test]
fn a_rollout_is_one_event_that_moves_until_it_is_complete() {
    let old = History::default().after(&[(1, "vote-1", "1", 0), (2, "vote-2", "1", 0)]);
    assert!(!old.events.iter().any(|event| matches!(event.what, Rollout { .. })), "no rollout");
    let begun = old.after(&[(1, "vote-1", "1", 0), (2, "vote-2", "1", 0), (3, "vote-3", "2", 0)]);
    assert!(matches!(begun.newest(), Rollout { on: 1, of: 3, .. }), "{begun:?}");
    let done = begun.after(&[(3, "vote-3", "2", 0), (4, "vote-4", "2", 0)]);
    assert!(matches!(done.newest(), Rollout { on: 2, of: 2, .. }), "{done:?}");
    let more = done.after(&[(3, "vote-3", "2", 0), (4, "vote-4", "2", 0), (5, "vote-5", "2", 0)]);
    assert!(matches!(more.newest(), Appeared(_)), "it was complete");
    let rollouts = more.events.iter().filter(|event| matches!(event.what, Rollout { .. })).count();
    assert_eq!(rollouts, 1);
}

#[test]
fn an_outage_of_the_queue_is_noted_once_when_it_is_over() {
    let queue = reading(&[]);
    let back = Sight { queue_was_away: Some((88_000, 99_000)), ..sight(&queue) };
    let told = History::default().next(&back);
    assert_eq!(told.newest(), &Back { store: Store::Queue, after_ms: 11_000 });
    assert_eq!((&told.events[1].what, told.events[1].at_ms), (&Away { store: Store::Queue }, 88_000));
    for now_ms in [101_000, 108_000] {
        let other = Sight { now_ms, queue_was_away: Some((88_100, 99_100)), ..sight(&queue) };
        assert_eq!(told.next(&other), told, "another replica saw the same outage");
    }
    let moment = Sight { queue_was_away: Some((98_800, 99_000)), ..sight(&queue) };
    assert!(History::default().next(&moment).events.is_empty(), "a moment is no outage");
}

#[test]
fn an_outage_of_the_ledger_ends_for_the_witness_who_saw_it_begin() {
    let queue = reading(&[(9, "result-1", "1", 0)]);
    let away =
        |queue| Sight { ledger_live: Some(false), ledger_away: Duration::from_secs(3), ..sight(queue) };
    let here = History::default().next(&sight(&queue));
    let told = here.next(&away(&queue));
    assert_eq!(told.newest(), &Away { store: Store::Ledger });
    let other = Sight { witness: Uuid::from_u128(8), now_ms: 105_000, ..sight(&queue) };
    assert_eq!(told.next(&other), told, "another replica may reach it");
    let new = Sight { ledger_live: None, ..sight(&queue) };
    assert_eq!(told.next(&new), told, "nobody knows yet");
    let back = told.next(&Sight { now_ms: 105_000, ..sight(&queue) });
    assert_eq!(back.newest(), &Back { store: Store::Ledger, after_ms: 8_000 });
    let lost = told.next(&away(&reading(&[])));
    assert!(matches!(lost.after(&[]).newest(), Back { .. }), "the witness has left");
}

#[test]
fn only_the_newest_events_are_kept() {
    let mut history = History::default();
    for number in 0..EVENTS_MAX as u128 * 2 {
        history = history.after(&[(number, &format!("vote-{number}"), "1", 0)]);
    }
    assert_eq!(history.events.len(), EVENTS_MAX);
}

#[test]
fn what_a_later_release_noted_is_kept() {
    let text = r#"{"events":[{"at_ms":1,"what":"flew_away","how":"high"},{"at_ms":0,"what":"away","store":"queue"}]}"#;
    let history: History = serde_json::from_str(text).unwrap();
    assert!(matches!(history.events[0].what, Happening::Unknown(_)));
    assert_eq!(history.events[1].what, Away { store: Store::Queue });
    let written = serde_json::to_value(&history).unwrap();
    assert_eq!(written["events"][0], serde_json::json!({ "at_ms": 1, "what": "flew_away", "how": "high" }));
}
