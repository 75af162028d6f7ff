//! The ledger: each voter's ballot that counts, and the totals.
//!
//! Every backend promises that recording is one transaction and idempotent.
//! Ballots may be recorded twice, late or out of order: the final ledger is the
//! same.

mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::collections::{BTreeMap, BTreeSet};

use election::{Ballot, Labels, PollId};
use store::{Unavailable, WriteError};
use tokio::sync::watch;
use uuid::Uuid;

pub use self::postgres::PostgresLedger;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteLedger;

/// Reads the totals of a poll, in both backends.
const TOTALS: &str = "
    SELECT epoch, choice, votes, changes
    FROM ledger LEFT JOIN totals ON poll = $1";
type TotalsRow = (Uuid, Option<String>, Option<i64>, Option<i64>);

/// Finds the other poll with the most votes, in both backends. The cast is for
/// PostgreSQL, where a sum of integers is a decimal number.
const OTHER_POLL: &str = "
    SELECT poll, CAST(sum(votes) AS bigint) AS votes FROM totals
    WHERE poll <> $1 GROUP BY poll HAVING sum(votes) > 0 ORDER BY votes DESC LIMIT 1";
type OtherPollRow = (String, i64);

/// Reads all totals and counts all ballots, in both backends. It is one statement,
/// so both come from one snapshot. Totals of 0 are left out: the voters of such an
/// option all changed their minds, so it has no ballots.
const RECOUNT: &str = "
    SELECT true AS counted, poll, choice, votes FROM totals WHERE votes <> 0
    UNION ALL
    SELECT false, poll, choice, count(*) FROM ballots GROUP BY poll, choice";
type RecountRow = (bool, String, String, i64);

/// Reads the labels of a poll, in both backends.
const LABELS: &str = "SELECT choice, label FROM labels WHERE poll = $1";
type LabelRow = (String, String);

/// The ledger, on whichever store the settings name.
#[derive(Clone, Debug)]
pub enum Ledger {
    /// PostgreSQL, shared by all workers and results.
    Postgres(PostgresLedger),
    /// Tables of the data file of the embedded mode.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteLedger),
}

impl Ledger {
    /// The same ledger over another connection. Its queries and those of this
    /// connection do not wait for each other.
    pub fn on_side_connection(&self) -> Self {
        match self {
            Self::Postgres(ledger) => Self::Postgres(ledger.on_side_connection()),
            #[cfg(feature = "sqlite")]
            // A data file has several connections for reading.
            Self::Sqlite(ledger) => Self::Sqlite(ledger.clone()),
        }
    }

    /// Connects if necessary, so that the schema exists, and returns the reasons why the
    /// ledger might lose what it has recorded: one sentence for each.
    pub async fn check(&self) -> Result<Vec<String>, Unavailable> {
        match self {
            Self::Postgres(ledger) => ledger.check().await,
            #[cfg(feature = "sqlite")]
            // The data file was prepared when it was opened, and it syncs every commit.
            Self::Sqlite(_) => Ok(Vec::new()),
        }
    }

    /// Records ballots, at most one for each voter of a poll (see
    /// [`election::newest_per_voter`]), and changes the totals by the difference.
    /// Returns how many of the ballots were newer than what the ledger had.
    pub async fn record(&self, ballots: &[&Ballot]) -> Result<u64, WriteError> {
        match self {
            Self::Postgres(ledger) => ledger.record(ballots).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ledger) => ledger.record(ballots).await,
        }
    }

    /// The totals of a poll. It reads one row for each option, and no ballots.
    pub async fn totals(&self, poll: &PollId) -> Result<Totals, Unavailable> {
        match self {
            Self::Postgres(ledger) => ledger.totals(poll).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ledger) => ledger.totals(poll).await,
        }
    }

    /// The other poll with the most votes, and its number of votes.
    pub async fn other_poll(&self, poll: &PollId) -> Result<Option<(String, u64)>, Unavailable> {
        let row = match self {
            Self::Postgres(ledger) => ledger.other_poll(poll).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ledger) => ledger.other_poll(poll).await,
        }?;
        Ok(row.map(|(poll, votes)| (poll, votes.unsigned_abs())))
    }

    /// Keeps the labels for which votes of this poll are counted. An option that has a label
    /// already keeps it.
    pub async fn keep_labels(&self, poll: &PollId, labels: &Labels) -> Result<(), WriteError> {
        match self {
            Self::Postgres(ledger) => ledger.keep_labels(poll, labels).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ledger) => ledger.keep_labels(poll, labels).await,
        }
    }

    /// The labels that are kept for this poll.
    pub async fn labels(&self, poll: &PollId) -> Result<Labels, Unavailable> {
        let rows = match self {
            Self::Postgres(ledger) => ledger.labels(poll).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ledger) => ledger.labels(poll).await,
        }?;
        let label = |(choice, label): LabelRow| Some((choice.parse().ok()?, label));
        Ok(rows.into_iter().filter_map(label).collect())
    }

    /// Counts all ballots and reads all totals, in one snapshot.
    pub async fn recount(&self) -> Result<Recount, Unavailable> {
        match self {
            Self::Postgres(ledger) => ledger.recount().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ledger) => ledger.recount().await,
        }
    }

    /// A receiver that wakes when the totals may have changed. Notifications can
    /// get lost, so also read the totals from time to time.
    pub fn notifications(&self) -> watch::Receiver<()> {
        match self {
            Self::Postgres(ledger) => ledger.notifications(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ledger) => ledger.notifications(),
        }
    }
}

/// The totals of one poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The votes of each option, by its key. An option that nobody chose is missing.
    pub votes: BTreeMap<String, i64>,
    /// A number that grows with every change within an epoch.
    pub version: i64,
    /// The id of this ledger. A wiped ledger gets another one.
    pub epoch: Uuid,
}

impl Totals {
    /// How many ballots were counted, changes of mind included. A voter's first
    /// ballot adds one change and one vote. Every later one adds two changes, one
    /// for the old choice and one for the new, and no vote. So the ledger needs no
    /// separate counter for this.
    pub fn ballots(&self) -> i64 {
        (self.version + self.votes.values().sum::<i64>()) / 2
    }

    /// Even a ledger without votes answers with one row, which has only the epoch.
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

/// Numbers of votes, by poll and option key.
pub type Tally = BTreeMap<(String, String), i64>;

/// The votes according to the totals, and according to the ballots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recount {
    /// The votes according to the totals.
    pub counted: Tally,
    /// The votes according to the ballots.
    pub recounted: Tally,
}

impl Recount {
    /// Where the two differ: poll and option, votes counted, votes recounted.
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
