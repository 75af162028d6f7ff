//! Group append: ballots that come while one call waits for the disk gather, and the next call takes them along. They
//! share its round trip and its fsync, and each gets an answer of its own.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use election::Ballot;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{AppendError, Receipt};

/// From the voter's click to the answer, the wait for a call included. Long enough for a slow fsync, and short enough
/// that a voter still waits.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// One call takes at most this many ballots. So many share its cost already, and a larger one would keep the store from
/// everything else for longer.
const GROUP_MAX: usize = 256;

/// How many ballots may wait for the next calls. Further voters wait for room.
const BACKLOG: usize = 4 * GROUP_MAX;

/// What becomes of a ballot.
type Answer = Result<Receipt, AppendError>;

/// What became of several ballots: the receipts of the first ones, and the error that all others get.
pub(crate) type Appended = (Vec<Receipt>, AppendError);

/// A store that appends several ballots in one call.
pub(crate) trait Backend: Send + 'static {
    /// Appends ballots in their order, until `capacity` ballots wait.
    fn append(&self, ballots: &[Ballot], capacity: u64) -> impl Future<Output = Appended> + Send;
}

/// The way into a queue. Its clones share the calls.
#[derive(Clone, Debug)]
pub(crate) struct Appender {
    waiting: mpsc::Sender<Waiting>,
    trusted: Arc<AtomicBool>,
}

impl Appender {
    /// The way into this store. Its task ends with the last clone.
    pub(crate) fn to(backend: impl Backend) -> Self {
        let (sender, waiting) = mpsc::channel(BACKLOG);
        let trusted = Arc::new(AtomicBool::new(true));
        tokio::spawn(call(backend, waiting, trusted.clone()));
        Self { waiting: sender, trusted }
    }

    /// See [`Queue::trust`](super::Queue::trust).
    pub(crate) fn trust(&self, trusted: bool) {
        self.trusted.store(trusted, Relaxed);
    }

    /// See [`Queue::append`](super::Queue::append).
    pub(crate) async fn append(&self, ballot: Ballot, capacity: u64) -> Answer {
        if !self.trusted.load(Relaxed) {
            return Err(untrusted());
        }
        let (answer, answered) = oneshot::channel();
        let has_left = Arc::new(AtomicBool::new(false));
        let waiting = Waiting { ballot, capacity, has_left: has_left.clone(), answer };
        let answer = timeout(ANSWER_WITHIN, async {
            self.waiting.send(waiting).await.ok()?;
            answered.await.ok()
        });
        match answer.await {
            Ok(Some(answer)) => answer,
            // Now the ballot cannot leave any more.
            _ if !has_left.swap(true, Relaxed) => {
                Err(AppendError::Refused("too many votes wait for the disk".to_owned()))
            }
            _ => Err(AppendError::Unconfirmed("no answer came in time".to_owned())),
        }
    }
}

/// A ballot that waits for a call, and where its answer goes.
#[derive(Debug)]
struct Waiting {
    ballot: Ballot,
    capacity: u64,
    /// Set once: by the call that takes the ballot along, or by the voter who has waited long enough.
    has_left: Arc<AtomicBool>,
    answer: oneshot::Sender<Answer>,
}

impl Waiting {
    /// Whether the ballot goes along: its voter still waits.
    fn leaves(&self) -> bool {
        !self.answer.is_closed() && !self.has_left.swap(true, Relaxed)
    }
}

/// Makes one call after the other, each with all ballots that wait. If no call is under way, a ballot leaves at once.
async fn call(backend: impl Backend, mut waiting: mpsc::Receiver<Waiting>, trusted: Arc<AtomicBool>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while waiting.recv_many(&mut group, GROUP_MAX).await > 0 {
        group.retain(Waiting::leaves);
        // All voters of a process have the same capacity.
        let Some(capacity) = group.iter().map(|waiting| waiting.capacity).min() else { continue };
        let (ballots, voters): (Vec<_>, Vec<_>) =
            group.drain(..).map(|waiting| (waiting.ballot, waiting.answer)).unzip();
        // What the voters were told may have changed while they waited.
        let (receipts, error) = if trusted.load(Relaxed) {
            backend.append(&ballots, capacity).await
        } else {
            (Vec::new(), untrusted())
        };
        let answers = receipts.into_iter().map(Ok).chain(iter::repeat(Err(error)));
        for (voter, answer) in voters.into_iter().zip(answers) {
            // A voter who hung up needs no answer.
            let _ = voter.send(answer);
        }
    }
}

fn untrusted() -> AppendError {
    AppendError::Refused("the queue might lose what it acknowledges".to_owned())
}

#[cfg(test)]
mod tests {
    use election::{Choice, VoterId, random_uuid};
    use tokio::task::{JoinHandle, yield_now};
    use uuid::Uuid;

    use super::*;
    use crate::EntryId;

    /// A call that waits for the test to answer it.
    type Call = (Vec<u128>, oneshot::Sender<Appended>);

    struct Patient(mpsc::Sender<Call>);

    impl Backend for Patient {
        async fn append(&self, ballots: &[Ballot], _capacity: u64) -> Appended {
            let (answer, answered) = oneshot::channel();
            let voters = ballots.iter().map(|ballot| ballot.voter.0.as_u128()).collect();
            self.0.send((voters, answer)).await.unwrap();
            answered.await.unwrap()
        }
    }

    /// An appender whose first call is under way, with the ballot of voter 0.
    async fn busy() -> (Appender, mpsc::Receiver<Call>, JoinHandle<Answer>, oneshot::Sender<Appended>) {
        let (calls, mut received) = mpsc::channel(1);
        let appender = Appender::to(Patient(calls));
        let first = append(&appender, 0);
        let (voters, answer) = received.recv().await.unwrap();
        assert_eq!(voters, [0]);
        (appender, received, first, answer)
    }

    #[tokio::test]
    async fn what_comes_during_a_call_goes_along_in_the_next_and_each_gets_its_own_answer() {
        let (appender, mut calls, first, answer) = busy().await;
        let others = [append(&appender, 1), append(&appender, 2), append(&appender, 3)];
        waits(&appender, 3).await;
        answer.send((vec![receipt(1)], full())).unwrap();
        assert_eq!(first.await.unwrap(), Ok(receipt(1)));
        let (voters, answer) = calls.recv().await.unwrap();
        assert_eq!(voters, [1, 2, 3]);
        answer.send((vec![receipt(2), receipt(3)], full())).unwrap();
        let answers = [Ok(receipt(2)), Ok(receipt(3)), Err(full())];
        for (other, answer) in others.into_iter().zip(answers) {
            assert_eq!(other.await.unwrap(), answer);
        }
    }

    #[tokio::test]
    async fn the_ballot_of_a_voter_who_hung_up_stays_behind() {
        let (appender, mut calls, _first, answer) = busy().await;
        let (gone, _stays) = (append(&appender, 1), append(&appender, 2));
        waits(&appender, 2).await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        answer.send((vec![receipt(1)], full())).unwrap();
        assert_eq!(calls.recv().await.unwrap().0, [2]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_time_for_an_answer_what_left_is_unconfirmed_and_what_did_not_is_refused_for_good() {
        let (appender, mut calls, left, answer) = busy().await;
        let stayed = append(&appender, 1);
        waits(&appender, 1).await;
        assert!(matches!(left.await.unwrap(), Err(AppendError::Unconfirmed(_))));
        assert!(matches!(stayed.await.unwrap(), Err(AppendError::Refused(_))));
        let _later = append(&appender, 2);
        answer.send((vec![receipt(1)], full())).unwrap();
        assert_eq!(calls.recv().await.unwrap().0, [2]);
    }

    #[tokio::test]
    async fn what_waits_while_the_queue_loses_its_trust_is_refused() {
        let (appender, _calls, first, answer) = busy().await;
        let waiting = append(&appender, 1);
        waits(&appender, 1).await;
        appender.trust(false);
        answer.send((vec![receipt(1)], full())).unwrap();
        assert_eq!(first.await.unwrap(), Ok(receipt(1)));
        assert_eq!(waiting.await.unwrap(), Err(untrusted()));
    }

    fn append(appender: &Appender, voter: u128) -> JoinHandle<Answer> {
        let ballot = Ballot {
            poll: "p".parse().unwrap(),
            voter: VoterId(Uuid::from_u128(voter)),
            choice: Choice::at(0).unwrap(),
            ord: 1,
            id: random_uuid(),
            via: "test".to_owned(),
        };
        let appender = appender.clone();
        tokio::spawn(async move { appender.append(ballot, 10).await })
    }

    /// Waits until so many ballots wait for the next call.
    async fn waits(appender: &Appender, count: usize) {
        while appender.waiting.capacity() != BACKLOG - count {
            yield_now().await;
        }
    }

    fn receipt(place: u64) -> Receipt {
        Receipt { entry: EntryId(place.to_string()), epoch: Uuid::nil(), place }
    }

    fn full() -> AppendError {
        AppendError::Refused("full".to_owned())
    }
}
