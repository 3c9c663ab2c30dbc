// How many SQL statements the gate runs while it lets sessions pass, counted in
// the programs by SQLite itself.
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { it } from 'node:test';
import { signedIn } from './support/forms.mjs';
import { alice, bob, plainLatchkey } from './support/install.mjs';
import { makeLibrary } from './support/preload.mjs';
import { assertDead, warm } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

const checks = 10000;
const atOnce = 16;

// Where programs that are confined can write.
const noted = (install) => path.join(install.run, 'statements');

const preload = (install) => ({
    LD_PRELOAD: makeLibrary(install.folder, 'tests/web/support/statements.c', '-lsqlite3'),
    LATCHKEY_TEST_STATEMENTS: noted(install),
});

const count = (at) => {
    const file = noted(at.install);
    return existsSync(file) ? statSync(file).size : 0;
};

// Sends requests over kept connections; gives what each status was told how often.
async function check(port, cookie, times) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce });
    const told = {};
    let left = times;
    const one = () => new Promise((resolve, reject) => {
        http.get({ host: '127.0.0.1', port, agent, path: '/private/page.html', headers: { cookie } }, (answer) => {
            told[answer.statusCode] = (told[answer.statusCode] ?? 0) + 1;
            answer.resume().on('end', resolve);
        }).on('error', reject);
    });
    const lane = async () => {
        while (left-- > 0) await one();
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    agent.destroy();
    return told;
}

forEachStore('statements', (at) => {
    it(`are at most 10 for ${checks} checks with a sign-out in the middle, which holds`, async () => {
        const leaving = await signedIn(at.webs[0].port, alice);
        const staying = await signedIn(at.webs[0].port, bob);
        const copied = leaving.cookie;
        for (const cookie of [copied, staying.cookie]) await warm(at, cookie);
        let run = -count(at);
        for (const web of at.webs) {
            assert.deepEqual(await check(web.port, staying.cookie, checks / 4), { 200: checks / 4 });
        }
        run += count(at);
        assert.ok(count(at) > 0, 'nothing was counted at all');
        assert.equal((await leaving.signOut()).status, 303);
        run -= count(at);
        for (const web of at.webs) {
            assert.deepEqual(await check(web.port, staying.cookie, checks / 4), { 200: checks / 4 });
        }
        run += count(at);
        await assertDead(at, copied, 40);
        assert.ok(run <= 10, `${run} statements`);
    });
}, {
    serve: (at) => ({ command: plainLatchkey, env: preload(at.install) }),
});
