//! How often each fault struck, and with which outcome.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use crate::round::Outcome;

/// One row for each fault, or one for all combinations.
#[derive(Default)]
pub struct Table {
    rows: BTreeMap<String, Row>,
}

#[derive(Clone, Default)]
struct Row {
    rounds: usize,
    faults: usize,
    recorded: usize,
    refused: usize,
    unconfirmed: usize,
    unanswered: usize,
    overtaken: usize,
    broken: usize,
}

impl Table {
    pub fn add(&mut self, name: &str, faults: usize, outcome: &Outcome) {
        let row = self.rows.entry(name.to_owned()).or_default();
        row.rounds += 1;
        row.faults += faults;
        row.recorded += outcome.recorded;
        row.refused += outcome.refused;
        row.unconfirmed += outcome.unconfirmed;
        row.unanswered += outcome.unanswered;
        row.overtaken += outcome.overtaken;
        row.broken += usize::from(!outcome.wrong.is_empty());
    }

    /// Rounds in which the promise was kept, and rounds in which it was not.
    pub fn verdicts(&self) -> (usize, usize) {
        let sum = self.sum();
        (sum.rounds - sum.broken, sum.broken)
    }

    fn sum(&self) -> Row {
        self.rows.values().fold(Row::default(), |sum, row| Row {
            rounds: sum.rounds + row.rounds,
            faults: sum.faults + row.faults,
            recorded: sum.recorded + row.recorded,
            refused: sum.refused + row.refused,
            unconfirmed: sum.unconfirmed + row.unconfirmed,
            unanswered: sum.unanswered + row.unanswered,
            overtaken: sum.overtaken + row.overtaken,
            broken: sum.broken + row.broken,
        })
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| fault | faults | recorded | refused | not confirmed | no answer | overtaken | broken promises |"
        )?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
        let all = ("all".to_owned(), self.sum());
        for (name, row) in self.rows.iter().chain([(&all.0, &all.1)]) {
            let Row { faults, recorded, refused, unconfirmed, unanswered, overtaken, broken, .. } = row;
            writeln!(
                f,
                "| {name} | {faults} | {recorded} | {refused} | {unconfirmed} | {unanswered} | {overtaken} | {broken} |"
            )?;
        }
        Ok(())
    }
}
