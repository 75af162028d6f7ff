//! What every ledger promises, whatever its backend.

use std::cell::Cell;
use std::collections::BTreeMap;

use election::{Ballot, PollId, newest_per_voter};
use ledger::{Ledger, Totals};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use store::WriteError;

use crate::contracts::backends::{Backend, ballot, contract, poll};

contract! { [postgres, sqlite] {
    an_empty_ledger_has_an_epoch_and_no_votes,
    a_ballot_is_counted_once_however_often_it_is_recorded,
    a_change_of_mind_moves_one_vote,
    every_ballot_that_was_news_is_counted_changes_of_mind_too,
    an_older_ballot_that_comes_late_changes_nothing,
    equal_orders_end_the_same_in_any_sequence,
    polls_do_not_touch_each_other,
    the_version_only_grows_and_the_epoch_stays,
    one_impossible_ballot_rejects_the_batch_and_records_none_of_it,
    a_recount_finds_what_does_not_agree,
    a_reader_that_waits_for_changes_is_woken,
    what_is_recorded_survives_a_kill_of_the_store,
    a_new_voter_recorded_by_two_workers_at_once_counts_once,
    ten_thousand_voters_of_whom_a_third_change_their_minds_are_counted_by_four_workers,
    totals_are_what_the_model_says_in_any_order_and_with_any_duplicates,
}}

async fn an_empty_ledger_has_an_epoch_and_no_votes(backend: Backend) {
    let totals = backend.ledger().totals(&poll()).await.unwrap();
    assert!(totals.votes.is_empty());
    assert_eq!(totals.version, 0);
    assert!(!totals.epoch.is_nil());
}

async fn a_ballot_is_counted_once_however_often_it_is_recorded(backend: Backend) {
    let ledger = backend.ledger();
    let ballot = ballot(1, 0, 1);
    assert_eq!(ledger.record(&[&ballot]).await, Ok(1));
    let once = totals(&ledger).await;
    assert_eq!(ledger.record(&[&ballot]).await, Ok(0));
    assert_eq!(totals(&ledger).await, once);
    assert_eq!(votes(&once), [("a", 1)]);
}

async fn a_change_of_mind_moves_one_vote(backend: Backend) {
    let ledger = backend.ledger();
    for (choice, ord) in [(0, 1), (1, 2), (1, 3), (2, 4)] {
        ledger.record(&[&ballot(1, choice, ord)]).await.unwrap();
    }
    assert_eq!(votes(&totals(&ledger).await), [("a", 0), ("b", 0), ("c", 1)]);
    assert_recount_agrees(&ledger).await;
}

async fn every_ballot_that_was_news_is_counted_changes_of_mind_too(backend: Backend) {
    let ledger = backend.ledger();
    let mut news = 0;
    for (voter, choice, ord) in [(1, 0, 5), (2, 0, 1), (1, 1, 6), (1, 1, 7), (2, 2, 1), (1, 0, 3), (3, 1, 9)]
    {
        news += ledger.record(&[&ballot(voter, choice, ord)]).await.unwrap();
        assert_eq!(totals(&ledger).await.ballots(), news as i64);
    }
    assert!(news >= 5);
}

async fn an_older_ballot_that_comes_late_changes_nothing(backend: Backend) {
    let ledger = backend.ledger();
    ledger.record(&[&ballot(1, 1, 10)]).await.unwrap();
    assert_eq!(ledger.record(&[&ballot(1, 0, 9)]).await, Ok(0));
    assert_eq!(votes(&totals(&ledger).await), [("b", 1)]);
}

async fn equal_orders_end_the_same_in_any_sequence(backend: Backend) {
    let ledger = backend.ledger();
    let (one, other) = (ballot(1, 0, 7), ballot(1, 1, 7));
    let newest = if one.id > other.id { "a" } else { "b" };
    ledger.record(&[&one]).await.unwrap();
    ledger.record(&[&other]).await.unwrap();
    ledger.record(&[&one]).await.unwrap();
    assert_eq!(totals(&ledger).await.votes[newest], 1);
    assert_recount_agrees(&ledger).await;
}

async fn polls_do_not_touch_each_other(backend: Backend) {
    let ledger = backend.ledger();
    let elsewhere = Ballot { poll: "elsewhere".parse().unwrap(), ..ballot(1, 1, 1) };
    ledger.record(&[&ballot(1, 0, 2), &elsewhere]).await.unwrap();
    assert_eq!(votes(&totals(&ledger).await), [("a", 1)]);
    assert_eq!(votes(&ledger.totals(&elsewhere.poll).await.unwrap()), [("b", 1)]);
}

async fn the_version_only_grows_and_the_epoch_stays(backend: Backend) {
    let ledger = backend.ledger();
    let mut last = totals(&ledger).await;
    for ord in 1..5 {
        ledger.record(&[&ballot(1, ord as usize % 2, ord)]).await.unwrap();
        let next = totals(&ledger).await;
        assert!(next.version > last.version, "{next:?} after {last:?}");
        assert_eq!(next.epoch, last.epoch);
        last = next;
    }
}

async fn one_impossible_ballot_rejects_the_batch_and_records_none_of_it(backend: Backend) {
    let ledger = backend.ledger();
    ledger.check().await.unwrap();
    forbid_via_bad(&backend).await;
    let bad = Ballot { via: "bad".to_owned(), ..ballot(2, 0, 1) };
    let refused = ledger.record(&[&ballot(1, 0, 1), &bad]).await;
    assert!(matches!(refused, Err(WriteError::Rejected(_))), "{refused:?}");
    assert!(totals(&ledger).await.votes.is_empty());
    assert_eq!(ledger.record(&[&ballot(1, 0, 1)]).await, Ok(1), "the ledger works on");
}

async fn a_recount_finds_what_does_not_agree(backend: Backend) {
    let ledger = backend.ledger();
    ledger.record(&[&ballot(1, 0, 1)]).await.unwrap();
    assert_recount_agrees(&ledger).await;
    backend.sql("UPDATE totals SET votes = votes + 1").await;
    let recount = ledger.recount().await.unwrap();
    assert_ne!(recount.counted, recount.recounted);
}

async fn a_reader_that_waits_for_changes_is_woken(backend: Backend) {
    let (writer, reader) = (backend.ledger(), backend.ledger());
    writer.check().await.unwrap();
    let mut notifications = reader.notifications();
    for ord in 1.. {
        writer.record(&[&ballot(1, 0, ord)]).await.unwrap();
        // The first notifications may come before the reader listens, and are lost.
        let woken =
            tokio::time::timeout(std::time::Duration::from_millis(200), notifications.changed()).await;
        if woken.is_ok() && ord > 3 {
            return;
        }
        assert!(ord < 100, "never woken");
    }
}

async fn what_is_recorded_survives_a_kill_of_the_store(backend: Backend) {
    let ledger = backend.ledger();
    ledger.record(&[&ballot(1, 0, 1), &ballot(2, 1, 1)]).await.unwrap();
    let before = totals(&ledger).await;
    drop(ledger);
    let backend = backend.restart().await;
    assert_eq!(totals(&backend.ledger()).await, before);
}

async fn a_new_voter_recorded_by_two_workers_at_once_counts_once(backend: Backend) {
    let (one, other) = (backend.ledger(), backend.ledger());
    for voter in 0..60 {
        let (first, second) = (ballot(voter, 0, 1), ballot(voter, 1, 2));
        let (first, second) = ([&first], [&second]);
        let (first, second) = tokio::join!(one.record(&first), other.record(&second));
        first.unwrap();
        assert_eq!(second, Ok(1));
    }
    assert_eq!(totals(&one).await.votes["b"], 60);
    assert_recount_agrees(&one).await;
}

async fn ten_thousand_voters_of_whom_a_third_change_their_minds_are_counted_by_four_workers(
    backend: Backend,
) {
    const VOTERS: u128 = 10_000;
    let first = (0..VOTERS).map(|voter| ballot(voter, voter as usize % 3, 1));
    let changed = (0..VOTERS).filter(|voter| voter % 10 < 3).map(|voter| ballot(voter, 3, 2));
    let mut ballots: Vec<Ballot> = first.chain(changed).collect();
    // A fixed shuffle: a voter's two ballots end one batch apart, so that two workers race for
    // that voter, and some changes overtake first votes.
    ballots.sort_by_key(|ballot| (ballot.voter.0.as_u128() * 7919 + ballot.ord as u128 * 400) % 10_007);

    let work = async |worker: usize| {
        let ledger = backend.ledger();
        for batch in ballots.chunks(500).skip(worker).step_by(4) {
            ledger.record(&newest_per_voter(batch)).await.unwrap();
        }
    };
    tokio::join!(work(0), work(1), work(2), work(3));

    let counted = backend.ballots().await;
    let newest = newest_per_voter(&ballots);
    let expected: Vec<_> =
        newest.iter().map(|ballot| (ballot.voter.0, ballot.ord, ballot.choice.to_string())).collect();
    assert_eq!(counted, expected, "each voter's row is that voter's last order");
    assert_eq!(totals(&backend.ledger()).await.votes["d"], 3_000);
    assert_recount_agrees(&backend.ledger()).await;
}

/// The model counts the newest ballot of each voter and ignores the others.
async fn totals_are_what_the_model_says_in_any_order_and_with_any_duplicates(backend: Backend) {
    const CASES: u32 = 40;
    let drawn = (0..6u128, 0..3usize, 0..8i64);
    let history = proptest::collection::vec(drawn, 1..40)
        .prop_map(|drawn| drawn.into_iter().map(|(v, c, o)| ballot(v, c, o)).collect::<Vec<_>>())
        .prop_flat_map(|ballots| {
            let twice: Vec<Ballot> = ballots.iter().chain(&ballots).cloned().collect();
            (Just(ballots), Just(twice).prop_shuffle(), 1..9usize)
        });
    let ledger = backend.ledger();
    let runtime = tokio::runtime::Handle::current();
    let check = move |case: u32, (ballots, deliveries, batch): (Vec<Ballot>, Vec<Ballot>, usize)| {
        let poll: PollId = format!("case-{case}").parse().unwrap();
        let in_this_case = |ballot: &Ballot| Ballot { poll: poll.clone(), ..ballot.clone() };
        let deliveries: Vec<Ballot> = deliveries.iter().map(in_this_case).collect();
        let totals = runtime.block_on(async {
            for batch in deliveries.chunks(batch) {
                ledger.record(&newest_per_voter(batch)).await.unwrap();
            }
            ledger.totals(&poll).await.unwrap()
        });
        let mut model = BTreeMap::new();
        for ballot in newest_per_voter(&ballots) {
            *model.entry(ballot.choice.to_string()).or_insert(0) += 1;
        }
        let counted: BTreeMap<_, _> = totals.votes.into_iter().filter(|(_, votes)| *votes != 0).collect();
        prop_assert_eq!(counted, model);
        Ok(())
    };
    tokio::task::spawn_blocking(move || {
        let case = Cell::new(0);
        TestRunner::new(ProptestConfig::with_cases(CASES))
            .run(&history, |drawn| {
                case.set(case.get() + 1);
                check(case.get(), drawn)
            })
            .unwrap();
    })
    .await
    .unwrap();
}

/// Makes the store refuse every ballot whose `via` is "bad".
async fn forbid_via_bad(backend: &Backend) {
    backend
        .sql(match backend {
            Backend::Postgres(_) => "ALTER TABLE ballots ADD CHECK (via <> 'bad')",
            _ => {
                "CREATE TRIGGER no_bad BEFORE INSERT ON ballots WHEN new.via = 'bad'
                 BEGIN SELECT RAISE(ABORT, 'bad'); END"
            }
        })
        .await;
}

async fn totals(ledger: &Ledger) -> Totals {
    ledger.totals(&poll()).await.unwrap()
}

fn votes(totals: &Totals) -> Vec<(&str, i64)> {
    totals.votes.iter().map(|(choice, votes)| (choice.as_str(), *votes)).collect()
}

async fn assert_recount_agrees(ledger: &Ledger) {
    let recount = ledger.recount().await.unwrap();
    assert_eq!(recount.counted, recount.recounted);
}
