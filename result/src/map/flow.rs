//! How many votes flow in each second.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use status::QueueReading;
use uuid::Uuid;

use crate::totals::PollTotals;

/// Long enough for a steady picture of a few votes, and short enough to stop when they stop.
const OVER: Duration = Duration::from_secs(3);

/// How many votes flow in each second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Flow {
    /// From `vote` to the queue.
    pub(super) recorded: f64,
    /// From the queue to the ledger.
    pub(super) counted: f64,
}

/// Measures the flow from what is known anyway: how many votes are counted, and how many wait.
#[derive(Debug, Default)]
pub(super) struct FlowMeter {
    /// The last samples, the oldest first.
    samples: VecDeque<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    epoch: Uuid,
    counted: i64,
    recorded: i64,
}

impl FlowMeter {
    /// Notes what the stores say. Nothing flows while one of them is away.
    pub(super) fn note(&mut self, totals: &PollTotals, queue: Option<&QueueReading>) -> Flow {
        let Some(queue) = queue.filter(|_| totals.live) else {
            self.samples.clear();
            return Flow::default();
        };
        let counted = totals.ballots();
        let recorded = counted.saturating_add_unsigned(queue.depth.uncounted());
        let now = Sample { at: Instant::now(), epoch: totals.epoch, counted, recorded };
        self.samples.retain(|sample| sample.epoch == now.epoch && now.at.duration_since(sample.at) <= OVER);
        self.samples.push_back(now);
        now.since(self.samples[0])
    }
}

impl Sample {
    fn since(self, former: Self) -> Flow {
        let seconds = self.at.duration_since(former.at).as_secs_f64();
        let a_second = |votes: i64| if seconds > 0.0 { votes.max(0) as f64 / seconds } else { 0.0 };
        Flow {
            recorded: a_second(self.recorded - former.recorded),
            counted: a_second(self.counted - former.counted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_flow_a_second() {
        let start = Instant::now();
        let sample = |seconds, counted, recorded| {
            let at = start + Duration::from_secs(seconds);
            Sample { at, epoch: Uuid::nil(), counted, recorded }
        };
        let flow = sample(2, 14, 30).since(sample(0, 10, 10));
        assert_eq!(flow, Flow { recorded: 10.0, counted: 2.0 });
        assert_eq!(sample(2, 4, 4).since(sample(0, 10, 10)), Flow::default(), "set back");
        assert_eq!(sample(0, 4, 4).since(sample(0, 4, 4)), Flow::default());
    }
}
