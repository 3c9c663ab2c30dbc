// Clocks that step: by the clock of the day no session lives longer than its limits, none that has
// ended comes back, people can sign in again, and nothing crashes.
import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, it } from 'node:test';
import { clocked, day, hour, minute, runAt } from './support/clock.mjs';
import { signedIn } from './support/forms.mjs';
import { alice, bob } from './support/install.mjs';
import { findWorkers } from './support/processes.mjs';
import { assertAlive, assertDead, get, replay, warm } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

const skew = 60;
const lifetime = day;
const idle = 2 * hour;
const year = 365 * day;

// Numbers from 0 to 1 that are the same each time.
function makeRandom(seed) {
    let state = seed;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
}

forEachStore('a clock that steps', (at) => {
    let pids;
    const workers = () => ['gate', 'login', 'logout', 'account'].map((name) => findWorkers(at.install, name));
    const purge = () => runAt(at, ['session', 'purge']);

    const enter = async (user = alice) => signedIn(at.webs[0].port, user);

    // The copied cookie of a session that every worker knew and that was signed out.
    async function leave(browser) {
        const copied = browser.cookie;
        assert.equal((await browser.signOut()).status, 303);
        return copied;
    }

    // What the gate says to a script: true when it passes.
    async function passes(cookie, index = 0) {
        const { port } = at.webs[index % at.webs.length];
        const { status } = await get(port, '/private/page.html', cookie, 'application/json');
        assert.ok([200, 401].includes(status), String(status));
        return status === 200;
    }

    before(() => { pids = workers(); });
    beforeEach(() => at.clock.shift(0));
    afterEach(() => assert.deepEqual(workers(), pids));

    for (const [what, ahead] of [['two days', 2 * day], ['a year', year], ['ten years', 10 * year]]) {
        it(`${what} ahead and back, and a purge in between, brings back nobody who left`, async () => {
            const browser = await enter();
            await warm(at, browser.cookie);
            const copied = await leave(browser);
            const revoked = await enter(bob);
            runAt(at, ['session', 'revoke-user', 'bob']);
            at.clock.shift(ahead);
            await assertDead(at, copied, 24);
            purge();
            // Signing in and out there leaves its own traces.
            const strange = await leave(await enter());
            await assertDead(at, strange, 24);
            at.clock.pass(2 * day);
            purge();
            for (let i = 0; i < 4; i++) await enter(bob);
            at.clock.shift(0);
            for (const cookie of [copied, revoked.cookie, strange]) await assertDead(at, cookie, 24);
            // Nobody is shut out by what happened in the future.
            const again = await enter();
            await assertAlive(at, again.cookie, 24);
            const left = await leave(again);
            await assertDead(at, left, 24);
            for (const cookie of [copied, revoked.cookie, strange]) await assertDead(at, cookie, 24);
        });
    }

    it('back before the sign-in lets nobody pass by a session that has not begun', async () => {
        const browser = await enter();
        await warm(at, browser.cookie);
        at.clock.shift(-skew + 20);
        await assertAlive(at, browser.cookie, 24);
        for (const back of [2 * skew, hour, 2 * day, year]) {
            at.clock.shift(-back);
            await assertDead(at, browser.cookie, 24);
        }
        const meanwhile = await enter();
        await assertAlive(at, meanwhile.cookie, 24);
        at.clock.shift(0);
        await assertAlive(at, browser.cookie, 24);
        await assertDead(at, meanwhile.cookie, 24);
        const copied = await leave(browser);
        for (const offset of [-hour, 0, hour, day, 0]) {
            at.clock.shift(offset);
            await assertDead(at, copied, 24);
        }
    });

    it('to and fro does not make a session live past its limits', async () => {
        const used = await enter();
        const signedInAt = at.clock.now;
        const unused = (await enter(bob)).cookie;
        const steps = [hour, -hour / 2, hour / 2, hour, -hour, 90 * minute, -3 * hour, 3 * hour];
        for (const step of steps) {
            at.clock.shift(at.clock.offset + step);
            await replay(at, used.cookie, 8);
            // What the browser gets in exchange counts as well.
            const answer = await used.fetch('/private/page.html');
            if (answer.status === 303) await used.fetch(answer.headers.location);
        }
        for (const late of [idle + skew + 5, lifetime - 1, lifetime + skew + 5]) {
            at.clock.set(signedInAt + late);
            await assertDead(at, unused, 24);
        }
        await assertDead(at, used.cookie, 24);
        at.clock.set(signedInAt + 40 * day);
        await assertDead(at, used.cookie, 24);
    });

    it('by chance, as far as it likes, never lets pass who has left or whose time is over', async () => {
        const random = makeRandom(20260301);
        const pick = (list) => list[Math.floor(random() * list.length)];
        const live = [];
        const gone = [];
        let accepted = 0;
        for (let round = 0; round < 120; round++) {
            const step = pick([10, minute, hour, hour, 5 * hour, day, 3 * day, 40 * day, year]) * random();
            if (random() < 0.5) at.clock.pass(step);
            else at.clock.shift(Math.max(at.clock.offset - step, -year));
            if (at.clock.offset > 5 * year) at.clock.shift(0);
            if (random() < 0.3) {
                const browser = await enter(pick([alice, bob]));
                live.push({ browser, begun: at.clock.now, used: at.clock.now });
                assert.ok(await passes(browser.cookie, round), 'a new session passes');
            }
            if (random() < 0.1) purge();
            for (const session of live.slice(-4)) {
                if (!await passes(session.browser.cookie, round)) continue;
                accepted++;
                const { now } = at.clock;
                assert.ok(now > session.begun - skew - 5, 'before its beginning');
                assert.ok(now < session.begun + lifetime + skew + 5, 'after its lifetime');
                assert.ok(now < session.used + idle + skew + 5, 'after its idle time');
                session.used = Math.max(session.used, now);
            }
            if (live.length > 0 && random() < 0.2) {
                const { browser } = live.pop();
                const { cookie } = browser;
                // Who was not signed in at that moment had nothing to end.
                if (await passes(cookie)) gone.push(cookie);
                await browser.signOut();
            }
            for (const cookie of gone.slice(-6)) assert.ok(!await passes(cookie, round), `left, round ${round}`);
        }
        assert.ok(accepted > 20 && gone.length > 8, `${accepted} accepted, ${gone.length} left`);
        for (const offset of [0, -hour, hour, -day, day, 0]) {
            at.clock.shift(offset);
            for (const cookie of gone) assert.ok(!await passes(cookie));
        }
    });

    it('to where there is no time does no harm', async () => {
        const browser = await enter();
        await warm(at, browser.cookie);
        const copied = await leave(await enter(bob));
        for (const time of [0, 1, 2 ** 31 - 1, 2 ** 31 + 5, 2 ** 32 + 5, 2 ** 40, 253402300800]) {
            at.clock.set(time);
            for (const { port } of at.webs) {
                for (const cookie of [browser.cookie, copied]) {
                    assert.ok((await get(port, '/private/page.html', cookie)).status >= 300);
                    assert.ok((await get(port, '/auth/session', cookie)).status >= 300);
                }
            }
        }
        at.clock.shift(0);
        await assertAlive(at, browser.cookie, 24);
        await assertDead(at, copied, 24);
    });
}, clocked);
