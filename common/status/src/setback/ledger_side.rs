//! What the ledger keeps to notice setbacks: its number.

use store::Unavailable;
use store::postgres::{ANSWER_WITHIN, Connection};
use uuid::Uuid;

use super::Mark;

/// Reads the ledger's epoch and number, and how many votes it has counted in all
/// polls. That is half the sum of changes and votes, as in [`ledger::Totals::ballots`].
const READ: &str = "
    SELECT epoch, marked, (SELECT coalesce((sum(changes) + sum(votes)) / 2, 0)::bigint FROM totals)
    FROM ledger";

/// Moves the ledger's number, unless another worker has moved it.
const MOVE: &str = "
    UPDATE ledger SET marked = $3 WHERE epoch = $1 AND marked IS NOT DISTINCT FROM $2";

/// What the ledger says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LedgerSide {
    /// The id of this ledger. A wiped ledger gets another one.
    pub(super) epoch: Uuid,
    /// Its number. `None` until a queue has fed it.
    pub(super) marked: Option<i64>,
    /// How many votes it has counted, changes of mind included.
    pub(super) counted: i64,
}

impl LedgerSide {
    pub(super) async fn read(ledger: &Connection) -> Result<Self, Unavailable> {
        let rows: Vec<(Uuid, Option<i64>, i64)> = ledger.fetch(sqlx::query(READ), ANSWER_WITHIN).await?;
        let side = rows.first().map(|&(epoch, marked, counted)| Self { epoch, marked, counted });
        side.ok_or_else(|| Unavailable("the ledger has no epoch".to_owned()))
    }
}

/// Makes a move that is noted in the queue. Any number of workers may do so, but
/// the number moves only once.
pub(super) async fn make(mark: &Mark, ledger: &Connection) -> Result<(), Unavailable> {
    let query = sqlx::query(MOVE).bind(mark.ledger).bind(mark.from).bind(mark.to);
    ledger.fetch::<(i32,)>(query, ANSWER_WITHIN).await?;
    Ok(())
}
