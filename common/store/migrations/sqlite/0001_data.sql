-- "Urna" in ASCII, so that nobody takes this file for another program's.
PRAGMA application_id = 1433562721;

-- One row, made with the data file. The key signs the voters' cookies.
CREATE TABLE ledger (
    epoch BLOB NOT NULL DEFAULT (randomblob(16)),
    cookie_key BLOB NOT NULL DEFAULT (randomblob(64))
);
INSERT INTO ledger DEFAULT VALUES;

-- The queue: votes that are safe and not counted yet, oldest first.
CREATE TABLE waiting (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    poll TEXT NOT NULL,
    voter BLOB NOT NULL,
    choice TEXT NOT NULL,
    ord INTEGER NOT NULL,
    id BLOB NOT NULL,
    via TEXT NOT NULL
) STRICT;

-- What can never be counted, and why.
CREATE TABLE dead (
    entry INTEGER PRIMARY KEY,
    poll TEXT NOT NULL,
    voter BLOB NOT NULL,
    choice TEXT NOT NULL,
    ord INTEGER NOT NULL,
    id BLOB NOT NULL,
    via TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- The ballot that counts, for each voter of each poll.
CREATE TABLE ballots (
    poll TEXT NOT NULL,
    voter BLOB NOT NULL,
    choice TEXT NOT NULL,
    -- The choice this one replaced, so that the totals move by the difference.
    previous TEXT,
    ord INTEGER NOT NULL,
    id BLOB NOT NULL,
    via TEXT NOT NULL,
    PRIMARY KEY (poll, voter)
) STRICT, WITHOUT ROWID;

CREATE TABLE totals (
    poll TEXT NOT NULL,
    choice TEXT NOT NULL,
    votes INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    PRIMARY KEY (poll, choice)
) STRICT, WITHOUT ROWID;
