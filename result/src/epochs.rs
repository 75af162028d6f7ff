//! The epochs that viewers are given.

use election::random_uuid;
use ledger::Totals;
use uuid::Uuid;

/// Gives viewers the ledger's epoch, and another one if its version goes back. Then the
/// ledger was restored, perhaps so briefly ago that no worker has noticed. Viewers ignore
/// a lower version of the same epoch.
#[derive(Debug, Default)]
pub(crate) struct Epochs(Option<Last>);

/// What the ledger last said, and the epoch that viewers were given for it.
#[derive(Debug)]
struct Last {
    epoch: Uuid,
    version: i64,
    given: Uuid,
}

impl Epochs {
    /// The epoch for these totals, which the ledger has just answered.
    pub(crate) fn of(&mut self, totals: &Totals) -> Uuid {
        let Totals { epoch, version, .. } = *totals;
        let given = match &self.0 {
            Some(last) if last.epoch == epoch && version < last.version => random_uuid(),
            Some(last) if last.epoch == epoch => last.given,
            _ => epoch,
        };
        self.0 = Some(Last { epoch, version, given });
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_get_another_epoch_exactly_when_the_version_goes_back() {
        let (mut epochs, ledger, other) = (Epochs::default(), random_uuid(), random_uuid());
        let mut given = |epoch, version| epochs.of(&Totals { votes: Default::default(), version, epoch });
        assert_eq!([given(ledger, 5), given(ledger, 5), given(ledger, 9)], [ledger; 3]);
        let restored = given(ledger, 7);
        assert_ne!(restored, ledger);
        assert_eq!(given(ledger, 10), restored);
        assert_ne!(given(ledger, 8), restored, "restored once more");
        assert_eq!(given(other, 1), other);
    }
}
