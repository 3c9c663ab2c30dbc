-- What has ended, in the order in which it ended, and what sessions remember.
--
-- A row of `revocation` names a session (key), a user (user_id: all sessions that are bound to an
-- earlier salt) or, with neither, everybody. Programs that keep things in memory read what is new
-- by its sequence number. A row stays until `until_s`, when what it ended could not be alive any
-- more, so that a copy of a sealed session that was signed out stays out.
CREATE TABLE revocation (
    sequence INTEGER PRIMARY KEY,
    key      BLOB CHECK (length(key) = 32),
    user_id  INTEGER,
    until_s  INTEGER NOT NULL CHECK (until_s > 0)
) STRICT;

CREATE UNIQUE INDEX revocation_key ON revocation (key) WHERE key IS NOT NULL;
CREATE INDEX revocation_until ON revocation (until_s);

-- One row. `sequence` is the number of the last revocation, rows or no rows. `forgotten` is the
-- highest one among the rows without a key that were taken away: who knows less has missed
-- something. `forgotten_s` is the latest `until_s` of rows with a key that were taken away: a
-- session that would end by then is accepted only while it has its row, whatever the clock says.
CREATE TABLE generation (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    sequence    INTEGER NOT NULL CHECK (sequence >= 0),
    forgotten   INTEGER NOT NULL CHECK (forgotten >= 0),
    forgotten_s INTEGER NOT NULL CHECK (forgotten_s >= 0)
) STRICT;

INSERT INTO generation (one, sequence, forgotten, forgotten_s) VALUES (1, 0, 0, 0);

-- Data of a session: one row for each of its keys, so that two programs that change different ones
-- at the same time do not undo each other.
CREATE TABLE session_data (
    key   BLOB NOT NULL REFERENCES session (key) ON DELETE CASCADE,
    name  TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 64),
    value BLOB NOT NULL,
    PRIMARY KEY (key, name)
) STRICT, WITHOUT ROWID;
