-- The label that each option had when votes for it were first recorded. If a poll is edited
-- under the same id, this shows it.
CREATE TABLE labels (
    poll TEXT NOT NULL,
    choice TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (poll, choice)
) STRICT, WITHOUT ROWID;
