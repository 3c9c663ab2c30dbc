// Databases of former versions: the steps of the structure, and the SQL that takes some of them.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './install.mjs';

export const applicationId = 0x4c4b6579;

// The text of each step, in their order; a database of structure n has taken the first n.
export const steps = readdirSync(path.join(root, 'schema')).filter((name) => name.endsWith('.sql')).sort()
    .map((name) => readFileSync(path.join(root, 'schema', name), 'utf8'));

// Brings a database from structure `from` (0: an empty file) to `to`, and puts `content` into it.
export const bringTo = (to, { from = 0, content = '' } = {}) => `PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;
BEGIN; ${steps.slice(from, to).join('\n')}
${content}
PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${to}; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)`;
