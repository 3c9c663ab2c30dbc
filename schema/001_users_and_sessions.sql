-- Users, and the sessions of the database store.
--
-- Times are seconds since 1970 UTC. Lengths are bytes: length() of a text counts characters, so
-- texts that may hold more than ASCII are cast. The limits are those of src/store/users.h and
-- sessions.h, said again here so that no program can write what the others could not read.

CREATE TABLE user (
    id         INTEGER PRIMARY KEY AUTOINCREMENT, -- a removed user's id never comes back
    name       TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
    display    TEXT NOT NULL CHECK (length(CAST(display AS BLOB)) <= 128),
    email      TEXT NOT NULL CHECK (length(CAST(email AS BLOB)) <= 254),
    groups     TEXT NOT NULL CHECK (length(CAST(groups AS BLOB)) <= 1024),
    hash       TEXT NOT NULL CHECK (length(CAST(hash AS BLOB)) BETWEEN 1 AND 383),
    salt       BLOB NOT NULL CHECK (length(salt) = 32),
    locked     INTEGER NOT NULL CHECK (locked IN (0, 1)),
    created_s  INTEGER NOT NULL CHECK (created_s > 0),
    password_s INTEGER NOT NULL CHECK (password_s > 0)
) STRICT;

-- Found by the SHA-256 of the token's id in one descent of one tree: about 290 bytes a session with
-- a browser's usual User-Agent. There is no index by time, which would cost a fifth more: what is
-- over is found by looking at a few rows from a random place on at each sign-in.
CREATE TABLE session (
    key       BLOB PRIMARY KEY NOT NULL CHECK (length(key) = 32),
    user_id   INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    salt      BLOB NOT NULL CHECK (length(salt) = 32),
    created_s INTEGER NOT NULL CHECK (created_s > 0),
    seen_s    INTEGER NOT NULL CHECK (seen_s > 0),
    idle_s    INTEGER NOT NULL CHECK (idle_s > 0),
    expires_s INTEGER NOT NULL CHECK (expires_s > created_s),
    remember  INTEGER NOT NULL CHECK (remember IN (0, 1)),
    address   TEXT NOT NULL CHECK (length(address) <= 45),
    agent     TEXT NOT NULL CHECK (length(agent) <= 200)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_user ON session (user_id);
