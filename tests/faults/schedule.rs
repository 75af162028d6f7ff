//! Which faults strike together, and when. The same seed gives the same schedule.

use std::fmt::{self, Display, Formatter};
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};

use crate::fault::Fault;

/// More faults at once than an operator will meet, and few enough that voting still works at times.
const AT_ONCE: RangeInclusive<usize> = 2..=3;

/// The beginnings are so close together that most faults overlap.
const BEGINS_MS: Range<u64> = 0..600;

/// From shorter to longer than our services wait for an answer (5 s for the queue).
const STALLS_MS: Range<u64> = 500..8_000;

/// A longer outage would not test more.
const LASTS_MS: Range<u64> = 200..2_000;

/// Faults that overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination(pub Vec<Fault>);

impl Combination {
    /// Two or three faults on different targets. None of them may lose recorded votes.
    pub fn random(seed: u64) -> Self {
        // Another sequence of random numbers than the schedule's.
        let mut rng = StdRng::seed_from_u64(!seed);
        let wanted = rng.random_range(AT_ONCE);
        let all: Vec<Fault> = Fault::all().into_iter().filter(|fault| !fault.may_lose()).collect();
        let mut chosen: Vec<Fault> = Vec::new();
        while chosen.len() < wanted {
            let fault = *all.choose(&mut rng).expect("there are faults");
            if chosen.iter().all(|other| other.target != fault.target) {
                chosen.push(fault);
            }
        }
        Self(chosen)
    }

    /// When each fault begins and ends, and what it hits.
    pub fn schedule(&self, seed: u64) -> Vec<Blow> {
        let mut rng = StdRng::seed_from_u64(seed);
        self.0.iter().map(|fault| Blow::new(*fault, &mut rng)).collect()
    }
}

impl FromStr for Combination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let find = |name: &str| {
            let named = Fault::all().into_iter().find(|fault| fault.to_string() == name);
            named.ok_or_else(|| format!("there is no fault {name:?}; --list names them all"))
        };
        text.split('+').map(find).collect::<Result<_, _>>().map(Self)
    }
}

impl Display for Combination {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(Fault::to_string).collect();
        f.write_str(&names.join("+"))
    }
}

/// A scheduled fault.
#[derive(Clone, Debug)]
pub struct Blow {
    pub fault: Fault,
    /// Counted from the moment at which every voter has voted.
    pub from: Duration,
    pub to: Duration,
    /// Whether the fault hits every replica of the service, or only one.
    pub every_replica: bool,
    /// Whether a wiped store is stopped and restarted on an empty folder, rather than emptied while it runs.
    pub restarts: bool,
}

impl Blow {
    fn new(fault: Fault, rng: &mut impl Rng) -> Self {
        let lasts = if fault.is_a_stall() { STALLS_MS } else { LASTS_MS };
        let from = Duration::from_millis(rng.random_range(BEGINS_MS));
        Self {
            fault,
            from,
            to: from + Duration::from_millis(rng.random_range(lasts)),
            every_replica: rng.random(),
            restarts: rng.random(),
        }
    }
}
