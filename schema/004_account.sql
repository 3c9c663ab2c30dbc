-- Throttling, the audit log and one-time links.

-- Failed attempts to sign in, counted for an account and a network together (kind 1), for a network
-- (2), for an account (3), and for a browser that signed in to it before (4). The key is a digest
-- with a secret, so that what was typed as a name cannot be told from it; `account` is the name of a
-- user or empty. The table is of limited length: what was forgotten goes first, then what failed
-- least; but never a count of an account (3), or who fills the table could have it begin anew. Of
-- those there are no more than users, and 65,536 for all names that nobody has.
CREATE TABLE throttle (
    key      BLOB PRIMARY KEY NOT NULL CHECK (length(key) = 16),
    kind     INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4),
    account  TEXT NOT NULL COLLATE NOCASE CHECK (length(account) <= 64),
    network  TEXT NOT NULL CHECK (length(network) <= 50),
    failures INTEGER NOT NULL CHECK (failures >= 0),
    failed_s INTEGER NOT NULL CHECK (failed_s > 0),  -- the last one
    until_s  INTEGER NOT NULL CHECK (until_s >= 0),  -- no attempt before
    forget_s INTEGER NOT NULL CHECK (forget_s > 0)   -- the row counts for nothing from then on
) STRICT, WITHOUT ROWID;

CREATE INDEX throttle_forget ON throttle (forget_s);
CREATE INDEX throttle_least ON throttle (failures, failed_s) WHERE kind <> 3;

-- What happened, in the order of its numbers, which have no gaps. `digest` is SHA-256 over the
-- digest of the row before and all that this row says; `tag` is HMAC-SHA-256 of it with the secret
-- `secret_id`. So one good tag, of a row that
-- is not marked as broken, vouches for all rows before it.
CREATE TABLE audit (
    id        INTEGER PRIMARY KEY,
    at_s      INTEGER NOT NULL CHECK (at_s > 0),
    act       TEXT NOT NULL CHECK (length(act) BETWEEN 1 AND 32),
    outcome   TEXT NOT NULL CHECK (length(outcome) BETWEEN 1 AND 32),
    user_id   INTEGER NOT NULL CHECK (user_id >= 0), -- 0: nobody's, or nobody known
    user      TEXT NOT NULL COLLATE NOCASE CHECK (length(user) <= 64),
    address   TEXT NOT NULL CHECK (length(address) <= 45),
    program   TEXT NOT NULL CHECK (length(program) BETWEEN 1 AND 64),
    detail    TEXT NOT NULL CHECK (length(CAST(detail AS BLOB)) <= 200),
    broken    INTEGER NOT NULL CHECK (broken IN (0, 1)), -- the row before was not as it should be
    secret_id INTEGER NOT NULL,
    digest    BLOB NOT NULL CHECK (length(digest) = 32),
    tag       BLOB NOT NULL CHECK (length(tag) = 32)
) STRICT;

CREATE INDEX audit_user ON audit (user_id, id) WHERE user_id <> 0;

-- One row: where the log begins (rows before `first` were kept for long enough and taken away;
-- `before` is the digest of the last of them) and where it ends. `tag` is HMAC-SHA-256 over both.
CREATE TABLE audit_ends (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    first     INTEGER NOT NULL CHECK (first > 0),
    before    BLOB NOT NULL CHECK (length(before) = 32),
    last      INTEGER NOT NULL CHECK (last >= 0),
    digest    BLOB NOT NULL CHECK (length(digest) = 32),
    secret_id INTEGER NOT NULL,
    tag       BLOB NOT NULL CHECK (length(tag) = 32)
) STRICT;

-- Links on which a user sets a password, one at a time for each user: the SHA-256 of what stands in
-- the link.
CREATE TABLE link (
    digest  BLOB PRIMARY KEY NOT NULL CHECK (length(digest) = 32),
    user_id INTEGER NOT NULL UNIQUE REFERENCES user (id) ON DELETE CASCADE,
    until_s INTEGER NOT NULL CHECK (until_s > 0)
) STRICT, WITHOUT ROWID;
