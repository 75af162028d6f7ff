-- One row, made with the ledger: a wiped ledger is a new one, and says so.
CREATE TABLE ledger (
    epoch uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO ledger DEFAULT VALUES;

-- The ballot that counts, for each voter of each poll.
CREATE TABLE ballots (
    poll text NOT NULL,
    voter uuid NOT NULL,
    choice text NOT NULL,
    -- The choice this one replaced, so that the totals move by the difference
    -- whatever other workers commit meanwhile.
    previous text,
    ord bigint NOT NULL,
    id uuid NOT NULL,
    via text NOT NULL,
    PRIMARY KEY (poll, voter)
);

-- No CHECK (votes >= 0): PostgreSQL would check it on a stale row, before it
-- notices a concurrent update, and refuse good ballots. `verify` checks.
CREATE TABLE totals (
    poll text NOT NULL,
    choice text NOT NULL,
    votes bigint NOT NULL,
    changes bigint NOT NULL,
    PRIMARY KEY (poll, choice)
);
