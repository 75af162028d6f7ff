-- How much of what this ledger has counted the queue was last told; null until
-- a queue feeds it. The queue keeps the other half, see common/src/setback.rs.
ALTER TABLE ledger ADD COLUMN marked bigint;
