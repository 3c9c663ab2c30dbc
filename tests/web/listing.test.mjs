// Lists of the command line that somebody reads slowly, as in a pager.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { signedIn } from './support/forms.mjs';
import { alice } from './support/install.mjs';
import { forEachStore } from './support/stores.mjs';

const rows = 5000; // more than pipes hold

const sql = async (file, statements) => (await promisify(execFile)('sqlite3', ['-cmd', '.timeout 5000', file, statements])).stdout;

const fill = (database) => `
    ATTACH '${database}' AS users;
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${rows})
    INSERT INTO main.session (id, rest, user_id, salt, created_s, seen_s, idle_s, expires_s, remember, address, agent)
        SELECT n, randomblob(24), user.id, user.salt, unixepoch(), unixepoch(), 10000, unixepoch() + 10000, 0, '192.0.2.7', 'Mozilla/5.0'
        FROM number, users.user WHERE name = 'alice'`;

forEachStore('a list that is read slowly', (at) => {
    it('keeps nobody from writing', async (t) => {
        await signedIn(at.webs[0].port, alice); // which makes the cache
        const database = path.join(at.install.state, 'latchkey.db');
        const file = at.store === 'cache' ? path.join(at.install.run, 'cache.db') : database;
        await sql(file, fill(database));
        const list = spawn(at.install.command, ['session', 'list', '--json'], { env: at.install.env, stdio: ['ignore', 'pipe', 'inherit'] });
        t.after(() => list.kill());
        const end = once(list, 'exit');
        await once(list.stdout, 'readable');
        assert.match(await sql(file, 'PRAGMA busy_timeout = 2000; PRAGMA wal_checkpoint(TRUNCATE)'), /^0\|0\|0$/m, 'nobody is reading');
        assert.ok(JSON.parse(await text(list.stdout)).length >= rows);
        assert.deepEqual(await end, [0, null]);
    });
}, { only: ['database', 'cache'] });
