//! Which faults strike together, and when: the same for the same seed.

use std::fmt::{self, Display, Formatter};
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};

use crate::fault::Fault;

/// More at once than an operator will meet, and something is still left to vote with.
const AT_ONCE: RangeInclusive<usize> = 2..=3;

/// Faults begin so close to each other that they overlap more often than not.
const BEGINS_MS: Range<u64> = 0..600;

/// Both shorter and longer than our services wait for an answer, 5 s at the queue.
const STALLS_MS: Range<u64> = 500..8_000;

/// What is down for longer shows nothing more.
const LASTS_MS: Range<u64> = 200..2_000;

/// Faults that overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination(pub Vec<Fault>);

impl Combination {
    /// Some faults, each of another target. None of them may lose what was recorded.
    pub fn random(seed: u64) -> Self {
        // Not the numbers that the schedule is drawn from.
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

    /// When each comes and goes, and whom it hits.
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

/// A fault at its time.
#[derive(Clone, Debug)]
pub struct Blow {
    pub fault: Fault,
    /// Since the voters vote.
    pub from: Duration,
    pub to: Duration,
    /// Whether it hits every replica of the service, or only one.
    pub every_replica: bool,
    /// Whether a store that is wiped is stopped meanwhile, and comes back on an empty folder.
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
