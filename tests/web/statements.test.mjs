// How many SQL statements the gate runs while it lets sessions pass, counted in
// the programs by SQLite itself.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { it } from 'node:test';
import { plainLatchkey } from './support/clock.mjs';
import { signedIn } from './support/forms.mjs';
import { alice, bob, root } from './support/install.mjs';
import { assertDead, warm } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

const checks = 10000;
const atOnce = 16;

function preload(install) {
    const library = path.join(install.folder, 'statements.so');
    const source = path.join(root, 'tests/web/support/statements.c');
    const made = spawnSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-lsqlite3'],
        { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    return { LD_PRELOAD: library, LATCHKEY_TEST_STATEMENTS: path.join(install.folder, 'statements') };
}

const count = (at) => {
    const file = path.join(at.install.folder, 'statements');
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
