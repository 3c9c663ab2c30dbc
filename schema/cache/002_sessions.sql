-- The cache of sessions. It is never migrated: a cache of another number is made anew.
--
-- The columns are those of the main database, so that the same statements serve both. There are no
-- users here, and so no references to them.
--
-- Rows lie in the order in which they were added, and indexes name them by their numbers: 280 bytes
-- a session with a browser's usual User-Agent. That is not shared here: who is made to go must leave
-- nothing behind that fills the cache.
CREATE TABLE session (
    id        INTEGER NOT NULL UNIQUE,
    rest      BLOB NOT NULL CHECK (length(rest) = 24),
    user_id   INTEGER NOT NULL,
    salt      BLOB NOT NULL CHECK (length(salt) = 32),
    created_s INTEGER NOT NULL CHECK (created_s > 0),
    seen_s    INTEGER NOT NULL CHECK (seen_s > 0),
    idle_s    INTEGER NOT NULL CHECK (idle_s > 0),
    expires_s INTEGER NOT NULL CHECK (expires_s > created_s),
    remember  INTEGER NOT NULL CHECK (remember IN (0, 1)),
    address   TEXT NOT NULL CHECK (length(address) <= 45),
    agent     ANY NOT NULL CHECK (typeof(agent) = 'text' AND length(agent) <= 200)
) STRICT;

CREATE INDEX session_user ON session (user_id);

-- Has no rows: for the statements that serve both.
CREATE TABLE agent (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

-- Who goes when there is no room: first what is over, then what was not used for the longest time,
-- of the same second what was added first.
CREATE INDEX session_over ON session (min(expires_s, seen_s + idle_s));
CREATE INDEX session_seen ON session (seen_s);

CREATE TABLE session_data (
    session INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    name    TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 64),
    value   BLOB NOT NULL,
    PRIMARY KEY (session, name)
) STRICT, WITHOUT ROWID;

-- One row: how many sessions were alive when they had to go, and when the log last told of it.
CREATE TABLE cache (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    evicted INTEGER NOT NULL CHECK (evicted >= 0),
    told_s  INTEGER NOT NULL CHECK (told_s >= 0)
) STRICT;

INSERT INTO cache (one, evicted, told_s) VALUES (1, 0, 0);
