//! The ledger: every voter's ballot that counts, and the totals.
//!
//! The promise of every backend: recording is one transaction and idempotent.
//! Whatever is recorded twice, late or out of order, the ledger ends the same.

pub mod postgres;
pub mod sqlite;

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;
use uuid::Uuid;

use crate::ballot::{Ballot, PollId};
use crate::outage::Unavailable;

/// What both backends ask for the totals, and the row they get.
const TOTALS: &str = "
    SELECT epoch, choice, votes, changes
    FROM ledger LEFT JOIN totals ON poll = $1";
type TotalsRow = (Uuid, Option<String>, Option<i64>, Option<i64>);

/// What both backends ask for another poll; with a cast, because PostgreSQL's sum is no integer.
const OTHER_POLL: &str = "
    SELECT poll, CAST(sum(votes) AS bigint) AS votes FROM totals
    WHERE poll <> $1 GROUP BY poll HAVING sum(votes) > 0 ORDER BY votes DESC LIMIT 1";
type OtherPollRow = (String, i64);

/// What both backends ask for a recount: one statement, hence one snapshot.
/// An option whose voters all changed their minds has a total of 0 and no ballot.
const RECOUNT: &str = "
    SELECT true AS counted, poll, choice, votes FROM totals WHERE votes <> 0
    UNION ALL
    SELECT false, poll, choice, count(*) FROM ballots GROUP BY poll, choice";
type RecountRow = (bool, String, String, i64);

/// The ledger, on whichever store the settings name.
#[derive(Clone, Debug)]
pub enum Ledger {
    /// PostgreSQL, shared by all workers and results.
    Postgres(postgres::PostgresLedger),
    /// Tables of the data file of the embedded mode.
    Sqlite(sqlite::SqliteLedger),
}

impl Ledger {
    /// The same ledger, for somebody who waits for nobody there, and makes nobody wait.
    pub fn aside(&self) -> Self {
        match self {
            Self::Postgres(ledger) => Self::Postgres(ledger.aside()),
            // A file has a connection for each reader.
            Self::Sqlite(ledger) => Self::Sqlite(ledger.clone()),
        }
    }

    /// Connects and makes sure that the schema is there.
    pub async fn prepare(&self) -> Result<(), Unavailable> {
        match self {
            Self::Postgres(ledger) => ledger.prepare().await,
            // The data file was prepared when it was opened.
            Self::Sqlite(_) => Ok(()),
        }
    }

    /// Records ballots, at most one for each voter of a poll (see
    /// [`crate::ballot::newest_per_voter`]), and moves the totals by the
    /// difference. Returns how many of them were news.
    pub async fn record(&self, ballots: &[&Ballot]) -> Result<u64, RecordError> {
        match self {
            Self::Postgres(ledger) => ledger.record(ballots).await,
            Self::Sqlite(ledger) => ledger.record(ballots).await,
        }
    }

    /// The totals of a poll: reads a row for each option, never the ballots.
    pub async fn totals(&self, poll: &PollId) -> Result<Totals, Unavailable> {
        match self {
            Self::Postgres(ledger) => ledger.totals(poll).await,
            Self::Sqlite(ledger) => ledger.totals(poll).await,
        }
    }

    /// Another poll that has votes, and how many: the one with the most.
    pub async fn other_poll(&self, poll: &PollId) -> Result<Option<(String, u64)>, Unavailable> {
        let row = match self {
            Self::Postgres(ledger) => ledger.other_poll(poll).await,
            Self::Sqlite(ledger) => ledger.other_poll(poll).await,
        }?;
        Ok(row.map(|(poll, votes)| (poll, votes.unsigned_abs())))
    }

    /// Counts all ballots and reads all totals, in one snapshot.
    pub async fn recount(&self) -> Result<Recount, Unavailable> {
        match self {
            Self::Postgres(ledger) => ledger.recount().await,
            Self::Sqlite(ledger) => ledger.recount().await,
        }
    }

    /// A receiver that wakes when the totals may have changed. It is a hint
    /// that can get lost: read the totals now and then all the same.
    pub fn changes(&self) -> watch::Receiver<()> {
        match self {
            Self::Postgres(ledger) => ledger.changes(),
            Self::Sqlite(ledger) => ledger.changes(),
        }
    }
}

/// Why ballots were not recorded. In both cases none of them was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The store is in trouble; the same ballots can be recorded later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The store is well and refuses at least one of these ballots for ever.
    #[error("rejected: {0}")]
    Rejected(String),
}

/// Reading rejects nothing, so whatever fails there may pass.
impl From<RecordError> for Unavailable {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Unavailable(error) => error,
            RecordError::Rejected(reason) => Self(reason),
        }
    }
}

/// The totals of one poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Votes by option key; an option nobody chose is missing.
    pub votes: BTreeMap<String, i64>,
    /// Grows with every change, within an epoch.
    pub version: i64,
    /// Names this ledger: a wiped one gets another.
    pub epoch: Uuid,
}

impl Totals {
    /// How many ballots were recorded, changes of mind included: a voter's
    /// first makes one change and one vote, and every later one two changes,
    /// off the old choice and onto the new, and no vote.
    pub fn counted(&self) -> i64 {
        (self.version + self.votes.values().sum::<i64>()) / 2
    }

    /// A ledger without votes still has its one row, with the epoch alone.
    fn from_rows(rows: Vec<TotalsRow>) -> Result<Self, Unavailable> {
        let no_epoch = || Unavailable("the ledger has no epoch".to_owned());
        let epoch = rows.first().ok_or_else(no_epoch)?.0;
        let mut totals = Self { votes: BTreeMap::new(), version: 0, epoch };
        for (_, choice, votes, changes) in rows {
            if let (Some(choice), Some(votes), Some(changes)) = (choice, votes, changes) {
                totals.votes.insert(choice, votes);
                totals.version += changes;
            }
        }
        Ok(totals)
    }
}

/// Votes by poll and option key.
pub type Tally = BTreeMap<(String, String), i64>;

/// Votes by poll and option key: as the totals say, and as the ballots say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recount {
    /// What the totals say.
    pub counted: Tally,
    /// What counting the ballots says.
    pub recounted: Tally,
}

impl Recount {
    /// Where the two differ: poll and option, counted and recounted.
    pub fn differences(&self) -> Vec<(&(String, String), i64, i64)> {
        let keys: BTreeSet<_> = self.counted.keys().chain(self.recounted.keys()).collect();
        let votes = |tally: &Tally, key| tally.get(key).copied().unwrap_or(0);
        keys.into_iter()
            .map(|key| (key, votes(&self.counted, key), votes(&self.recounted, key)))
            .filter(|(_, counted, recounted)| counted != recounted)
            .collect()
    }

    fn from_rows(rows: Vec<RecountRow>) -> Self {
        let mut recount = Self::default();
        for (counted, poll, choice, votes) in rows {
            let tally = if counted { &mut recount.counted } else { &mut recount.recounted };
            tally.insert((poll, choice), votes);
        }
        recount
    }
}
