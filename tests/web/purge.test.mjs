// A purge of very many sessions that are over, while people come and go.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { signedIn } from './support/forms.mjs';
import { Service, latchkey, plainLatchkey } from './support/install.mjs';
import { get } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

const many = 30000;
const often = 5; // within the time that it takes
const writes = 600; // of the file, of which a step has ten or so: some of its 500 steps are done then

const files = { database: ['state', 'latchkey.db'], cookie: ['state', 'latchkey.db'], cache: ['run', 'cache.db'] };

// Not with spawnSync, for the stores run side by side.
async function sql(at, text) {
    const file = path.join(at.install.folder, ...files[at.store]);
    return Number((await promisify(execFile)('sqlite3', ['-cmd', '.timeout 5000', file, text])).stdout);
}

const countOver = (at) => sql(at, 'SELECT count(*) FROM session WHERE expires_s < 2000');

const addOver = (at) => sql(at, `
    PRAGMA synchronous = OFF;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${many})
    INSERT INTO session (id, rest, user_id, salt, created_s, seen_s, idle_s, expires_s, remember, address, agent)
    SELECT random(), randomblob(24), 1, zeroblob(32), 1000, 1000, 100, 1100, 0, '192.0.2.7', 'a browser' FROM n`);

const purge = (at) => new Service(latchkey, ['session', 'purge'], { env: at.install.env });

// Does `task` again and again until the service ends.
async function repeat(service, task) {
    let times = 0;
    for (; service.isRunning; times++) await task();
    assert.ok(times > often, `only ${times} times`);
}

forEachStore('a purge of many sessions', (at) => {
    it('stops neither checks nor sign-ins', async () => {
        const web = at.webs[0];
        const alive = await signedIn(web.port);
        const passes = async () => assert.equal((await get(web.port, '/private/page.html', alive.cookie)).status, 200);
        await addOver(at);
        const service = purge(at);
        await Promise.all([repeat(service, passes), repeat(service, () => signedIn(web.port))]);
        assert.equal(await service.ended, 0, service.output);
        assert.equal(await countOver(at), 0);
        await passes();
    });

    it('may be broken off, and done again', async () => {
        const alive = await signedIn(at.webs[0].port);
        await addOver(at);
        const service = new Service('strace',
            ['-o', '/dev/null', '-e', `inject=pwrite64:signal=INT:when=${writes}`, plainLatchkey, 'session', 'purge'],
            { env: at.install.env });
        assert.equal(await service.ended, 'SIGINT', service.output);
        const left = await countOver(at);
        assert.ok(left > 0 && left < many, `${left} are left`);
        assert.match(at.install.do(['session', 'purge']), /^\d+ sessions that had ended were removed\.\n$/);
        assert.equal(await countOver(at), 0);
        assert.equal((await get(at.webs[0].port, '/private/page.html', alive.cookie)).status, 200);
        at.install.do(['check']);
    });
});
