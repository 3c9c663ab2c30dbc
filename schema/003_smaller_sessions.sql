-- Sessions in little more than half the space, and found with one page read among a million.
--
-- The first eight bytes of a session's key, as a big-endian number with a sign, are the number of
-- its row; `rest` is what follows. So the inner pages of the tree hold nothing but numbers, and those
-- of a million sessions are half a megabyte, which stays in memory; and the index of users names a
-- session by eight bytes instead of 32. Two keys with the same eight bytes cannot be there at once:
-- among ten million sessions one sign-in of a million millions would have to be tried again.
--
-- 140 bytes a session, 175 with the slack that comes from the random order, and its part of a user.

-- What browsers call themselves: a few hundred names are shared by nearly everybody. No session that
-- has the agent lasts longer than `until_s`. The table is of limited length; a session whose agent
-- found no place there holds it itself. A number is never another agent's.
CREATE TABLE agent (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT NOT NULL UNIQUE CHECK (length(name) <= 200),
    until_s INTEGER NOT NULL CHECK (until_s > 0)
) STRICT;

CREATE INDEX agent_until ON agent (until_s);

DROP INDEX session_user;
ALTER TABLE session_data RENAME TO session_data_2;
ALTER TABLE session RENAME TO session_2;

CREATE TABLE session (
    id        INTEGER PRIMARY KEY,
    rest      BLOB NOT NULL CHECK (length(rest) = 24),
    user_id   INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    salt      BLOB NOT NULL CHECK (length(salt) = 32),
    created_s INTEGER NOT NULL CHECK (created_s > 0),
    seen_s    INTEGER NOT NULL CHECK (seen_s > 0),
    idle_s    INTEGER NOT NULL CHECK (idle_s > 0),
    expires_s INTEGER NOT NULL CHECK (expires_s > created_s),
    remember  INTEGER NOT NULL CHECK (remember IN (0, 1)),
    address   TEXT NOT NULL CHECK (length(address) <= 45),
    agent     ANY NOT NULL CHECK (typeof(agent) = 'integer'
                                  OR (typeof(agent) = 'text' AND length(agent) <= 200))
) STRICT;

-- The number of the row has the place of `key`.
CREATE TABLE session_data (
    session INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    name    TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 64),
    value   BLOB NOT NULL,
    PRIMARY KEY (session, name)
) STRICT, WITHOUT ROWID;

-- instr gives 0 for the digit 0, which is not in the list.
INSERT INTO session (id, rest, user_id, salt, created_s, seen_s, idle_s, expires_s, remember,
                     address, agent)
SELECT (instr('123456789ABCDEF', substr(digits, 1, 1)) << 60)
     | (instr('123456789ABCDEF', substr(digits, 2, 1)) << 56)
     | (instr('123456789ABCDEF', substr(digits, 3, 1)) << 52)
     | (instr('123456789ABCDEF', substr(digits, 4, 1)) << 48)
     | (instr('123456789ABCDEF', substr(digits, 5, 1)) << 44)
     | (instr('123456789ABCDEF', substr(digits, 6, 1)) << 40)
     | (instr('123456789ABCDEF', substr(digits, 7, 1)) << 36)
     | (instr('123456789ABCDEF', substr(digits, 8, 1)) << 32)
     | (instr('123456789ABCDEF', substr(digits, 9, 1)) << 28)
     | (instr('123456789ABCDEF', substr(digits, 10, 1)) << 24)
     | (instr('123456789ABCDEF', substr(digits, 11, 1)) << 20)
     | (instr('123456789ABCDEF', substr(digits, 12, 1)) << 16)
     | (instr('123456789ABCDEF', substr(digits, 13, 1)) << 12)
     | (instr('123456789ABCDEF', substr(digits, 14, 1)) << 8)
     | (instr('123456789ABCDEF', substr(digits, 15, 1)) << 4)
     | instr('123456789ABCDEF', substr(digits, 16, 1)),
       rest, user_id, salt, created_s, seen_s, idle_s, expires_s, remember, address, agent
FROM (SELECT hex(substr(key, 1, 8)) AS digits, substr(key, 9) AS rest, * FROM session_2);

INSERT INTO session_data (session, name, value)
SELECT s.id, d.name, d.value FROM session_data_2 AS d
JOIN session AS s ON s.rest = substr(d.key, 9);

DROP TABLE session_data_2;
DROP TABLE session_2;

CREATE INDEX session_user ON session (user_id);
