// The database away under running programs: sealed sessions of users that a worker knows go on,
// everything else waits, nothing is half done, and whoever starts without it lets nobody pass.
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { csrfOf, signedIn } from './support/forms.mjs';
import { encodeForm, request } from './support/http.mjs';
import { bob } from './support/install.mjs';
import { findWorkers, killAll } from './support/processes.mjs';
import { assertAlive, assertDead, get, many, pages, replay, replayEverywhere, warm } from './support/replay.mjs';
import { secret } from './support/servers.mjs';
import { forEachStore } from './support/stores.mjs';

const isUnavailable = (status) => status === 503 || status === 500; // nginx says 500 for the gate

forEachStore('without the database', (at) => {
    const file = () => path.join(at.install.state, 'latchkey.db');

    // While `task` runs, the database is not there.
    async function without(task) {
        renameSync(file(), `${file()}.away`);
        try {
            await task();
        } finally {
            renameSync(`${file()}.away`, file());
        }
    }

    // What the gate says to many requests, of all web servers: a sorted list.
    async function askGate(cookie, times = 24) {
        const told = new Set();
        await many(times, async (index) => {
            const { status, text } = await get(at.webs[index % at.webs.length].port, '/private/page.html', cookie);
            assert.equal(text.includes(secret), status === 200);
            told.add(isUnavailable(status) ? 'unavailable' : status);
        });
        return [...told].sort();
    }

    async function enter(user) {
        const browser = await signedIn(at.webs[0].port, user);
        await warm(at, browser.cookie);
        return browser;
    }

    const postLogout = (cookie, csrf) => request(at.webs[1].port, '/auth/logout', {
        method: 'POST', body: encodeForm({ csrf }),
        headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    });

    it('what a worker knows may go on, what it does not know must not', async () => {
        const known = await enter();
        const gone = await enter(bob);
        const copied = gone.cookie;
        assert.equal((await gone.signOut()).status, 303);
        await assertDead(at, copied, 24);
        await without(async () => {
            const told = await askGate(known.cookie, 48);
            if (at.store === 'cookie') {
                assert.deepEqual(told, [200]);
                // Each worker of the gate, the only program that remembers.
                assert.deepEqual(await replayEverywhere(at, known.cookie, 48, pages.slice(0, 1)), [true]);
                assert.deepEqual(await askGate(copied), [303]);
            } else {
                assert.ok(told.every((one) => [200, 'unavailable'].includes(one)), String(told));
                assert.ok(!(await askGate(copied)).includes(200));
            }
            // Nobody is known to nobody.
            assert.deepEqual(await askGate(''), [303]);
        });
        await assertAlive(at, known.cookie);
        await assertDead(at, copied, 24);
    });

    it('users that a worker never saw wait', async () => {
        const carol = { name: 'carol', password: 'the long sentence of carol' };
        at.install.addUser(carol);
        const unknown = (await signedIn(at.webs[0].port, carol)).cookie;
        await without(async () => assert.deepEqual(await askGate(unknown), ['unavailable']));
        await assertAlive(at, unknown);
    });

    it('a sign-in and a sign-out are refused, and nothing has changed', async () => {
        const browser = await enter();
        const { cookie } = browser;
        const csrf = await csrfOf(browser);
        await without(async () => {
            const answer = await postLogout(cookie, csrf);
            assert.equal(answer.status, 503);
            assert.deepEqual(answer.cookies, []);
            assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
            assert.notEqual(at.install.try(['session', 'revoke-user', 'alice']).status, 0);
            assert.notEqual(at.install.try(['user', 'lock', 'alice']).status, 0);
            if (at.store === 'cookie') assert.deepEqual(await askGate(cookie), [200]);
        });
        await assertAlive(at, cookie);
        const answer = await postLogout(cookie, csrf);
        assert.equal(answer.status, 303);
        await assertDead(at, cookie);
    });

    it('workers that are started anew let nobody pass until it is back', async () => {
        const browser = await enter();
        const former = findWorkers(at.install, 'gate');
        await without(async () => {
            killAll(former);
            // Some that did not know it may have been asked before they ended.
            const told = await askGate(browser.cookie, 24);
            assert.ok(told.every((one) => [200, 'unavailable', 303].includes(one)));
            while (findWorkers(at.install, 'gate').some((pid) => former.includes(pid))) await askGate('', 1);
            assert.deepEqual(await askGate(browser.cookie, 24), ['unavailable']);
        });
        await assertAlive(at, browser.cookie);
    });

    it('everything that is started anew lets nobody pass until it is back', async () => {
        const browser = await enter();
        await at.install.service.stop();
        await without(async () => {
            await at.install.serve();
            for (let i = 0; i < 3; i++) assert.deepEqual(await askGate(browser.cookie, 8), ['unavailable']);
            assert.ok(!(await replay(at, browser.cookie, 16)).includes(true));
        });
        await assertAlive(at, browser.cookie);
        const { cookie } = browser;
        assert.equal((await browser.signOut()).status, 303);
        await assertDead(at, cookie, 48);
    });
});
