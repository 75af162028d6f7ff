//! Records a batch. A bad entry does not keep the others from being recorded.

use std::time::{Duration, Instant};

use election::{Ballot, newest_per_voter};
use ledger::Ledger;
use queue::{Delivery, EntryId};
use service::fault::Faults;
use store::{Unavailable, WriteError};

use crate::held::Held;
use crate::metrics::METRICS;
use crate::patience::Patience;
use crate::{BATCH_MAX, Config};

/// A ledger that records a part within this time may get twice as many ballots, because
/// it gives up only after 9 s.
const QUICK: Duration = Duration::from_secs(3);

/// The pause after a try that failed on purpose.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Records batches in the ledger.
#[derive(Debug)]
pub(crate) struct Recorder<'a> {
    ledger: &'a Ledger,
    require_durable: bool,
    patience: Patience<'a>,
    held: &'a Held,
    faults: &'a Faults,
    /// How many ballots are recorded at a time. A slow ledger gets fewer, so that it
    /// can record them before it must give up.
    at_a_time: usize,
}

/// The result of recording a batch.
#[derive(Debug, Default)]
pub(crate) struct RecordedBatch {
    /// The entries whose ballots are in the ledger for good.
    pub(crate) entries: Vec<EntryId>,
    /// The entries that can never be counted, each with the reason.
    pub(crate) dead: Vec<(EntryId, String)>,
    /// How many ballots were newer than what the ledger had.
    pub(crate) news: u64,
}

impl<'a> Recorder<'a> {
    pub(crate) fn of(config: &'a Config, patience: Patience<'a>, held: &'a Held, faults: &'a Faults) -> Self {
        let Config { ledger, require_durable_ledger, .. } = config;
        Self {
            ledger,
            require_durable: *require_durable_ledger,
            patience,
            held,
            faults,
            at_a_time: BATCH_MAX,
        }
    }

    /// Waits until the ledger answers, has its schema, and keeps what it records. Returns
    /// `None` on shutdown.
    pub(crate) async fn ledger_is_durable(&mut self) -> Option<()> {
        loop {
            let error = match self.ledger.check().await {
                Ok(risks) if risks.is_empty() || !self.require_durable => {
                    self.answered(risks);
                    return Some(());
                }
                Ok(risks) => Unavailable(format!("not durable: {}", risks.join("; "))),
                Err(error) => error,
            };
            self.pause(&error).await?;
        }
    }

    /// Records a batch, however long the ledger is away. Returns `None` on shutdown.
    ///
    /// If the ledger rejects the batch, each half is tried separately, so that one bad
    /// entry does not hold up the others. The same is done if the batch takes too long.
    pub(crate) async fn record(&mut self, batch: Vec<Delivery>) -> Option<RecordedBatch> {
        self.suffer().await?;
        let (ballots, mut recorded) = sorted(batch);
        let mut parts = vec![ballots];
        while let Some(mut part) = parts.pop() {
            if part.len() > self.at_a_time {
                parts.push(part.split_off(self.at_a_time));
            }
            match self.try_record(&part).await? {
                Ok(news) => {
                    recorded.news += news;
                    recorded.entries.extend(part.into_iter().map(|(entry, _)| entry));
                }
                Err(reason) if part.len() == 1 => {
                    recorded.dead.extend(part.pop().map(|(entry, _)| (entry, reason)));
                }
                Err(_) => {
                    parts.push(part.split_off(part.len() / 2));
                    parts.push(part);
                }
            }
        }
        // The queue forgets these ballots next. Before that, the ledger must be sure to keep them.
        self.ledger_is_durable().await?;
        Some(recorded)
    }

    /// Waits as long as a fault on purpose keeps this batch from being recorded. Meanwhile other
    /// workers may take it over, as from a worker that really fails.
    async fn suffer(&mut self) -> Option<()> {
        self.faults.hold().await;
        while self.faults.fails() {
            self.held.keep(false);
            self.patience.wait(TRY_AGAIN_AFTER).await?;
        }
        Some(())
    }

    /// Records these ballots all together. Returns how many were newer, or why the
    /// ledger will never accept one of them. Returns `None` on shutdown.
    async fn try_record(&mut self, part: &[(EntryId, Ballot)]) -> Option<Result<u64, String>> {
        let ballots = newest_per_voter(part.iter().map(|(_, ballot)| ballot));
        if ballots.is_empty() {
            return Some(Ok(0));
        }
        loop {
            let asked = Instant::now();
            let answer = match self.ledger.record(&ballots).await {
                Ok(news) => {
                    self.took(asked.elapsed());
                    Ok(news)
                }
                Err(WriteError::Rejected(reason)) => Err(reason),
                Err(WriteError::TooSlow(error)) => {
                    self.patience.pause(&error).await?;
                    self.at_a_time = (part.len() / 2).max(1);
                    if part.len() == 1 {
                        continue;
                    }
                    Err(error.to_string())
                }
                Err(WriteError::Unavailable(error)) => {
                    self.pause(&error).await?;
                    continue;
                }
            };
            return Some(answer);
        }
    }

    /// Notes how long a commit took.
    fn took(&mut self, time: Duration) {
        METRICS.commit.record(time);
        if time < QUICK {
            self.at_a_time = BATCH_MAX.min(2 * self.at_a_time);
        }
    }

    fn answered(&mut self, risks: Vec<String>) {
        self.held.keep(true);
        self.patience.answered(risks);
    }

    /// While this worker cannot reach the ledger, another one may, and takes over.
    async fn pause(&mut self, error: &Unavailable) -> Option<()> {
        self.held.keep(false);
        self.patience.pause(error).await
    }
}

/// The ballots of a batch, and the result with the entries that hold none.
fn sorted(batch: Vec<Delivery>) -> (Vec<(EntryId, Ballot)>, RecordedBatch) {
    let (mut ballots, mut recorded) = (Vec::with_capacity(batch.len()), RecordedBatch::default());
    for Delivery { entry, ballot } in batch {
        match ballot {
            Ok(ballot) => ballots.push((entry, ballot)),
            Err(reason) => recorded.dead.push((entry, reason)),
        }
    }
    (ballots, recorded)
}
