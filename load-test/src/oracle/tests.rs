use std::time::Duration;

use uuid::Uuid;

use super::*;

/// What a voter is told in these tests: the order is the number of the vote.
#[derive(Clone, Copy)]
enum Say {
    Recorded,
    Refused,
    Unconfirmed,
    Unanswered,
}
use Say::*;

fn voter(number: u128) -> VoterId {
    VoterId(Uuid::from_u128(number))
}

fn choice(key: char) -> Choice {
    key.to_string().parse().unwrap()
}

/// Votes of one voter, a second apart, each with its number as its order.
fn votes(began: Instant, votes: &[(char, Say)]) -> Vec<Vote> {
    let votes = votes.iter().zip(1..).map(|(&(key, say), ord)| {
        let answer = match say {
            Recorded => Answer::Recorded { ord },
            Refused => Answer::Refused,
            Unconfirmed => Answer::Unconfirmed { ord },
            Unanswered => Answer::None,
        };
        Vote { choice: choice(key), sent: began + Duration::from_secs(ord as u64), answer }
    });
    votes.collect()
}

fn told(each: &[&[(char, Say)]]) -> Told {
    let began = Instant::now();
    each.iter().zip(1..).map(|(told, number)| (voter(number), votes(began, told))).collect()
}

fn counted(rows: &[(u128, char, i64)]) -> Counted {
    rows.iter().map(|&(number, key, ord)| (voter(number), (choice(key), ord))).collect()
}

/// Which rows may be counted for this voter, up to the order 4; `-` is none.
fn legal_after(began: Instant, said: &[(char, Say)], losses: &[StoreLoss]) -> String {
    let told = Told::from([(voter(1), votes(began, said))]);
    let rows = ('a'..='d').flat_map(|key| (1..=4).map(move |ord| Some((key, ord))));
    let is_legal = |row: &Option<(char, i64)>| {
        let rows: Vec<_> = row.iter().map(|&(key, ord)| (1, key, ord)).collect();
        violations(&told, &counted(&rows), losses).is_empty()
    };
    let name = |row: Option<(char, i64)>| row.map_or("-".to_owned(), |(key, ord)| format!("{key}{ord}"));
    [None].into_iter().chain(rows).filter(is_legal).map(name).collect::<Vec<_>>().join(" ")
}

fn legal(said: &[(char, Say)]) -> String {
    legal_after(Instant::now(), said, &[])
}

fn names(orders: &[i64]) -> BTreeSet<VoteKey> {
    orders.iter().map(|ord| (voter(1), *ord)).collect()
}

#[test]
fn the_last_recorded_vote_counts_and_nothing_else() {
    assert_eq!(legal(&[('a', Recorded), ('b', Recorded)]), "b2");
    assert_eq!(legal(&[('a', Recorded), ('b', Recorded), ('a', Recorded)]), "a3", "not the older a");
    assert_eq!(legal(&[('a', Recorded), ('b', Refused)]), "a1");
    assert_eq!(legal(&[('a', Recorded), ('a', Refused)]), "a1", "not the refused a");
    assert_eq!(legal(&[('a', Refused)]), "-");
}

#[test]
fn what_is_not_confirmed_may_count_until_a_later_vote_is_recorded() {
    assert_eq!(legal(&[('a', Unconfirmed)]), "- a1");
    assert_eq!(legal(&[('a', Recorded), ('b', Unconfirmed)]), "a1 b2");
    assert_eq!(legal(&[('a', Unconfirmed), ('b', Recorded)]), "b2");
}

#[test]
fn what_was_never_answered_may_be_taken_later_and_never_as_the_earlier_one() {
    assert_eq!(legal(&[('a', Unanswered), ('b', Recorded)]), "a3 a4 b2");
    assert_eq!(legal(&[('a', Unanswered)]), "- a1 a2 a3 a4");
    let is_overtaken =
        |said: &[(char, Say)], key, ord| overtaken(&told(&[said]), &counted(&[(1, key, ord)]), &[]) == 1;
    assert!(is_overtaken(&[('a', Unanswered), ('b', Recorded)], 'a', 3));
    assert!(!is_overtaken(&[('a', Unanswered), ('b', Recorded)], 'b', 2));
    assert!(!is_overtaken(&[('a', Recorded), ('b', Unanswered)], 'b', 2));
}

#[test]
fn an_emptied_queue_may_cost_what_waited_there_and_nothing_else() {
    let said = [('a', Recorded), ('b', Recorded), ('c', Recorded)];
    let legal = |orders| legal_after(Instant::now(), &said, &[StoreLoss::Queue { waited: names(orders) }]);
    assert_eq!(legal(&[]), "c3");
    assert_eq!(legal(&[3]), "b2 c3");
    assert_eq!(legal(&[2]), "c3", "a later vote was recorded and did not wait");
    assert_eq!(legal(&[1, 2, 3]), "- a1 b2 c3");
}

#[test]
fn a_wiped_ledger_may_cost_what_was_counted_and_not_what_still_waited_or_came_later() {
    let (began, said) = (Instant::now(), [('a', Recorded), ('b', Recorded)]);
    let legal = |until_ms, orders| {
        let until = began + Duration::from_millis(until_ms);
        legal_after(began, &said, &[StoreLoss::Ledger { until, untaken: names(orders) }])
    };
    assert_eq!(legal(2_500, &[]), "- a1 b2");
    assert_eq!(legal(2_500, &[2]), "b2");
    assert_eq!(legal(1_500, &[]), "b2");
}

#[test]
fn nobody_is_counted_who_never_voted() {
    let found = violations(&Told::new(), &counted(&[(1, 'a', 1)]), &[]);
    assert_eq!(found.len(), 1);
    assert!(found[0].to_string().contains("and what is counted is a, of the order 1"));
}

#[test]
fn two_voters_who_are_exchanged_are_both_found() {
    let told = told(&[&[('a', Recorded)], &[('b', Recorded)]]);
    assert_eq!(violations(&told, &counted(&[(1, 'a', 1), (2, 'b', 1)]), &[]), []);
    assert_eq!(violations(&told, &counted(&[(1, 'b', 1), (2, 'a', 1)]), &[]).len(), 2);
}

#[test]
fn two_lost_changes_that_cancel_each_other_are_found_although_the_totals_are_right() {
    let told = told(&[&[('a', Recorded), ('b', Recorded)], &[('b', Recorded), ('a', Recorded)]]);
    let both_lost = counted(&[(1, 'a', 1), (2, 'b', 1)]);
    assert_eq!(violations(&told, &both_lost, &[]).len(), 2);
    let options = BTreeMap::from([(choice('a'), (1, 1)), (choice('b'), (1, 1))]);
    assert_eq!(bounds(&told), Bounds { votes: (2, 2), options });
}

#[test]
fn an_old_unanswered_vote_is_found_when_it_counts_instead_of_a_later_recorded_one() {
    let told = told(&[&[('a', Unanswered), ('b', Recorded)]]);
    assert_eq!(violations(&told, &counted(&[(1, 'a', 1)]), &[]).len(), 1, "its order is older");
    assert_eq!(violations(&told, &counted(&[(1, 'a', 3)]), &[]), [], "it was taken later");
}

#[test]
fn totals_are_bounded_by_what_may_count_for_each_voter() {
    let bounds = |each: &[&[(char, Say)]]| {
        let Bounds { votes, options } = bounds(&told(each));
        (votes, options.into_values().collect::<Vec<_>>())
    };
    assert_eq!(bounds(&[&[('a', Recorded)], &[('a', Recorded)]]), ((2, 2), vec![(2, 2)]));
    assert_eq!(bounds(&[&[('a', Recorded), ('b', Unconfirmed)]]), ((1, 1), vec![(0, 1), (0, 1)]));
    assert_eq!(bounds(&[&[('a', Unanswered), ('b', Recorded)]]), ((1, 1), vec![(0, 1), (0, 1)]));
    assert_eq!(bounds(&[&[('a', Unconfirmed)]]), ((0, 1), vec![(0, 1)]), "perhaps nothing counts");
    assert_eq!(bounds(&[&[('a', Refused)]]), ((0, 0), vec![]));
}
