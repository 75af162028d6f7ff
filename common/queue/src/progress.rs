//! What became of an entry: whether it waits, has left the queue, or is a dead letter.

use uuid::Uuid;

use super::EntryId;

/// A look at the queue reads and keeps no more than this many dead letters, the newest. They take
/// some 100 KB. Dead letters are so rare that a person should look at each.
pub(crate) const DEAD_LETTERS_MAX: usize = 1_000;

/// The receipt of an entry, from [`Queue::append`](super::Queue::append). With it, a look at the queue
/// tells what became of the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The entry.
    pub entry: EntryId,
    /// The epoch of the queue to which it was appended. A queue that lost its data gets another.
    pub epoch: Uuid,
    /// How many entries had been appended to that queue by then, this one included.
    pub place: u64,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits, behind this many others.
    Waits(u64),
    /// It left the queue, because its ballot is in the ledger.
    Counted,
    /// It is a dead letter, which is never counted.
    Dead,
    /// The queue cannot tell.
    Unknown,
}

/// A look at the queue. From this one look, the fate of every entry with a receipt can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// `None` before the first look.
    pub(crate) epoch: Option<Uuid>,
    /// How many entries were ever appended.
    pub(crate) appended: u64,
    /// How many entries the queue holds.
    pub(crate) length: u64,
    /// The oldest of them.
    pub(crate) oldest: Option<EntryId>,
    /// The entry that was buried last, if it is known.
    pub(crate) buried: Option<EntryId>,
    /// The newest dead letters, the newest first.
    pub(crate) dead: Vec<DeadLetter>,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    /// Its id among the dead letters. An entry with a higher id can only have been buried later.
    pub(crate) buried: EntryId,
    /// The id that it had as an entry.
    pub(crate) entry: EntryId,
}

impl Progress {
    /// What has become of this entry. An entry that left before an older one is counted, but seems
    /// to wait until the older one has left, too.
    pub fn fate(&self, receipt: &Receipt) -> Fate {
        let is_waiting = receipt.place > self.appended
            || self.oldest.as_ref().is_some_and(|oldest| order(oldest) <= order(&receipt.entry));
        if self.epoch != Some(receipt.epoch) {
            Fate::Unknown
        } else if self.dead.iter().any(|dead| dead.entry == receipt.entry) {
            Fate::Dead
        } else if is_waiting {
            let left = self.appended.saturating_sub(self.length);
            Fate::Waits(receipt.place.saturating_sub(left + 1))
        } else if self.may_be_a_forgotten_dead_letter(&receipt.entry) {
            Fate::Unknown
        } else {
            Fate::Counted
        }
    }

    /// Adds the dead letters that an earlier look at the same queue has read.
    pub(crate) fn with_dead_of(mut self, earlier: Self) -> Self {
        if self.epoch == earlier.epoch {
            self.dead.extend(earlier.dead);
        }
        self.dead.truncate(DEAD_LETTERS_MAX);
        self
    }

    fn may_be_a_forgotten_dead_letter(&self, entry: &EntryId) -> bool {
        let is_known = |buried: &EntryId| self.dead.iter().any(|dead| dead.entry == *buried);
        // Somebody has deleted dead letters.
        if self.buried.as_ref().is_some_and(|buried| !is_known(buried) && order(entry) <= order(buried)) {
            return true;
        }
        let oldest_known = self.dead.get(DEAD_LETTERS_MAX - 1);
        oldest_known.is_some_and(|dead| order(entry) < order(&dead.buried))
    }
}

/// The order of entries. The id is `MILLISECONDS-NUMBER` in Redis, and a number in SQLite.
fn order(entry: &EntryId) -> (u64, u64) {
    let (first, second) = entry.0.split_once('-').unwrap_or((&entry.0, "0"));
    (first.parse().unwrap_or(0), second.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Uuid = Uuid::from_u128(7);

    fn entry(id: &str) -> EntryId {
        EntryId(id.to_owned())
    }

    fn receipt(id: &str, place: u64) -> Receipt {
        Receipt { entry: entry(id), epoch: EPOCH, place }
    }

    fn look(appended: u64, length: u64, oldest: Option<&str>) -> Progress {
        let oldest = oldest.map(entry);
        Progress { epoch: Some(EPOCH), appended, length, oldest, ..Progress::default() }
    }

    #[test]
    fn a_dead_letter_that_somebody_deleted_does_not_seem_counted() {
        let cleared = Progress { buried: Some(entry("50-0")), ..look(100, 0, None) };
        assert_eq!(
            [receipt("40-0", 40), receipt("50-0", 50)].map(|it| cleared.fate(&it)),
            [Fate::Unknown; 2]
        );
        assert_eq!(cleared.fate(&receipt("51-0", 51)), Fate::Counted);
    }

    #[test]
    fn an_entry_waits_behind_those_that_came_before_and_is_counted_once_it_has_left() {
        assert_eq!(look(10, 4, Some("99-0")).fate(&receipt("100-2", 9)), Fate::Waits(2));
        assert_eq!(look(10, 2, Some("100-2")).fate(&receipt("100-2", 9)), Fate::Waits(0));
        assert_eq!(look(10, 1, Some("100-10")).fate(&receipt("100-2", 9)), Fate::Counted);
        assert_eq!(look(10, 0, None).fate(&receipt("100-2", 9)), Fate::Counted);
        assert_eq!(look(8, 0, None).fate(&receipt("100-2", 9)), Fate::Waits(0), "appended since the look");
    }

    #[test]
    fn another_queue_tells_nothing() {
        let other = Receipt { epoch: Uuid::from_u128(8), ..receipt("100-2", 9) };
        assert_eq!(look(10, 0, None).fate(&other), Fate::Unknown);
        assert_eq!(Progress::default().fate(&other), Fate::Unknown);
    }

    #[test]
    fn a_dead_letter_is_not_counted_and_what_may_be_a_forgotten_one_nobody_can_tell() {
        let buried = |number: usize| DeadLetter {
            buried: entry(&format!("{}-0", 1_000 + number)),
            entry: entry(&format!("{number}-0")),
        };
        let few = Progress { dead: vec![buried(50)], ..look(100, 0, None) };
        assert_eq!(few.fate(&receipt("50-0", 50)), Fate::Dead);
        assert_eq!(few.fate(&receipt("49-0", 49)), Fate::Counted);
        let earlier = Progress { dead: (0..DEAD_LETTERS_MAX).rev().map(buried).collect(), ..few.clone() };
        let many = Progress { dead: vec![buried(2_000)], ..few }.with_dead_of(earlier);
        assert_eq!(many.dead.len(), DEAD_LETTERS_MAX);
        assert_eq!(many.fate(&receipt("999-0", 99)), Fate::Dead);
        assert_eq!(many.fate(&receipt("0-0", 1)), Fate::Unknown, "it was forgotten");
        assert_eq!(many.fate(&receipt("2000-1", 99)), Fate::Counted, "appended since");
    }
}
