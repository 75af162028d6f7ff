-- The label that each option had when votes for it were first recorded. If a poll is edited
-- under the same id, this shows it.
CREATE TABLE labels (
    poll text NOT NULL,
    choice text NOT NULL,
    label text NOT NULL,
    PRIMARY KEY (poll, choice)
);
