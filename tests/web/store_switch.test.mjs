// Another store in the configuration: people stay signed in by the tokens they have, get one of the
// new kind when theirs is renewed, and every token of a session ends with it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clocked, hour, minute, runAt } from './support/clock.mjs';
import { signedIn } from './support/forms.mjs';
import { Browser } from './support/http.mjs';
import { Install, isAlive, until } from './support/install.mjs';
import { countAll, findAll, killAll } from './support/processes.mjs';
import { assertAlive, assertDead, replay } from './support/replay.mjs';
import { secret } from './support/servers.mjs';
import { settingsFor, startAll, workers } from './support/stores.mjs';

const kinds = { database: 's', cache: 'c', cookie: 'e' };
const people = ['anne', 'bert', 'cora', 'dora', 'emil'].map((name) => ({ name, password: `${name}'s long sentence` }));
const [anne, bert, cora, dora, emil] = people;

// Each store after each other one, in one go.
const round = ['database', 'cookie', 'cache', 'database', 'cache', 'cookie', 'database'];
const switches = round.slice(1).map((to, i) => ({ from: round[i], to }));

const kindOf = (browser) => String.fromCharCode(Buffer.from(browser.jar.get('latchkey'), 'base64url')[1]);

function withCookie(web, cookie) {
    const browser = new Browser(web.port);
    browser.jar.set('latchkey', cookie.replace('latchkey=', ''));
    return browser;
}

// Follows a page request to its end; how many redirects it took.
async function visit(browser) {
    let answer = await browser.fetch('/private/page.html');
    for (let steps = 0; ; steps++) {
        assert.ok(steps < 3);
        if (answer.status === 200) {
            assert.ok(answer.body.includes(secret));
            return steps;
        }
        assert.equal(answer.status, 303);
        answer = await browser.fetch(answer.headers.location);
    }
}

describe('when session.store changes', () => {
    const at = { webs: [] };
    const total = countAll(workers);
    const settled = () => until('one set of programs', () => findAll(at.install).length === total);

    async function configure(store, { restart }) {
        at.install.configure(settingsFor(store));
        if (restart) {
            assert.equal(await at.install.service.stop(), 0);
            await at.install.serve(at.serve);
        } else {
            const before = findAll(at.install).slice(1);
            at.install.service.child.kill('SIGHUP');
            await until('the former programs to end', () => !before.some(isAlive));
        }
        await settled();
    }

    const idsOf = (user) => JSON.parse(runAt(at, ['session', 'list', user.name, '--json'])).map(({ id }) => id);

    before(async () => {
        at.install = new Install(settingsFor(round[0])).init();
        for (const user of people) at.install.addUser(user);
        at.serve = clocked.serve(at);
        at.webs = await startAll(at.install, at.serve);
    });
    after(async () => {
        for (const web of at.webs) await web.stop();
        assert.equal(await at.install?.close(), 0);
    });

    for (const [index, { from, to }] of switches.entries()) {
        const restart = index % 2 === 1;
        it(`from ${from} to ${to} by a ${restart ? 'restart' : 'SIGHUP'}, nobody is lost and nobody is let in`, async () => {
            const web = at.webs[index % at.webs.length];
            const browsers = new Map();
            for (const user of people) browsers.set(user, await signedIn(web.port, user));
            const old = new Map(people.map((user) => [user, browsers.get(user).cookie]));
            const [id] = idsOf(anne);
            assert.equal(kindOf(browsers.get(anne)), kinds[from]);
            // Of one that was left before, a copy.
            const left = await signedIn(web.port, anne);
            const copied = left.cookie;
            await assertAlive(at, copied, 24);
            assert.equal((await left.signOut()).status, 303);

            await configure(to, { restart });
            for (const user of people) assert.deepEqual(await replay(at, old.get(user), 16), [true], user.name);
            await assertAlive(at, old.get(anne), 24);
            await assertDead(at, copied, 24);
            assert.equal(await visit(browsers.get(anne)), 0);
            assert.equal(browsers.get(anne).cookie, old.get(anne), 'it is not exchanged before its time');
            assert.equal(kindOf(await signedIn(web.port, dora)), kinds[to]);

            // By a copy of the former token, one who was not renewed signs out.
            assert.equal((await browsers.get(bert).signOut()).status, 303);
            await assertDead(at, old.get(bert), 24);

            at.clock.pass(hour + minute);
            for (const user of [anne, cora, emil]) {
                const browser = browsers.get(user);
                assert.equal(await visit(browser), 2, user.name);
                assert.equal(kindOf(browser), kinds[to]);
                await assertAlive(at, browser.cookie, 24);
                assert.deepEqual(await replay(at, old.get(user), 16), [true], 'the former token lives on');
                assert.equal(await visit(browser), 0);
            }
            assert.deepEqual(idsOf(anne), [id], 'it is one session');

            // Both tokens end, whichever is sent.
            const sent = index % 2 === 0 ? old.get(anne) : browsers.get(anne).cookie;
            assert.equal((await withCookie(web, sent).signOut()).status, 303);
            await assertDead(at, old.get(anne), 24);
            await assertDead(at, browsers.get(anne).cookie, 24);

            // And by the command, and whatever was killed in between.
            runAt(at, index % 2 === 0 ? ['session', 'revoke', idsOf(cora)[0]] : ['session', 'revoke-user', cora.name]);
            const all = findAll(at.install);
            killAll(all);
            await until('the end', () => !all.some(isAlive));
            await at.install.serve(at.serve);
            await assertDead(at, old.get(cora), 24);
            await assertDead(at, browsers.get(cora).cookie, 24);
            await assertDead(at, browsers.get(anne).cookie, 16);
            await assertAlive(at, browsers.get(emil).cookie, 24);
            assert.deepEqual(await replay(at, old.get(emil), 16), [true]);
            runAt(at, ['session', 'revoke-all']);
            await assertDead(at, browsers.get(emil).cookie, 16);
            await assertDead(at, old.get(emil), 16);
        });
    }
});
