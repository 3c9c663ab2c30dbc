// Things that happen at the same time. From the answer on that something was done it holds, whatever
// else was under way: a password that was replaced, a lock, a removal, a link that was used.
//
// LATCHKEY_TEST_ROUNDS says how often each is tried; a night's run takes some thousands.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { beforeEach, it } from 'node:test';
import { promisify } from 'node:util';
import { clocked, hour, minute } from './support/clock.mjs';
import { formType, isSignedIn, signedIn } from './support/forms.mjs';
import { Browser, encodeForm, formFields, request } from './support/http.mjs';
import { bob, latchkey } from './support/install.mjs';
import { get, replay } from './support/replay.mjs';
import { forEachStore } from './support/stores.mjs';

const rounds = Number(process.env.LATCHKEY_TEST_ROUNDS ?? 5);
const passwords = ['a long sentence of this user', 'seven purple elephants yawn', 'eight yellow giraffes sing'];
const page = '/private/page.html';

// Not with spawnSync: requests go on meanwhile.
const run = (at, args, input = '') => {
    const child = promisify(execFile)(latchkey, args, { env: at.install.env });
    child.child.stdin.on('error', () => {}).end(input); // most commands read nothing and may be gone by then
    return child;
};

let users = 0;

async function addUser(at) {
    const user = { name: `racer${++users}`, password: passwords[0] };
    await run(at, ['user', 'add', user.name, '--password-stdin'], `${user.password}\n`);
    return user;
}

// A form of the page that can be sent many times at once: a function that sends it with `fields`.
async function prepare(port, target, browser = new Browser(port)) {
    const shown = formFields((await browser.fetch(target)).body);
    const { cookie } = browser;
    return (fields) => request(port, target.split('?')[0], {
        method: 'POST', body: encodeForm({ ...shown, ...fields }), headers: { cookie, 'content-type': formType },
    });
}

const cookieIn = (answer) => answer.cookies.find((line) => line.startsWith('latchkey='))?.split(';')[0];
const both = (at, index) => [at.webs[index % 2], at.webs[(index + 1) % 2]];
const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// No cookie that was given out meanwhile is good.
async function assertAllDead(at, answers, what) {
    for (const cookie of answers.map(cookieIn).filter(Boolean)) {
        assert.deepEqual(await replay(at, cookie, 6), [false], what);
    }
}

forEachStore('what happens at the same time', (at) => {
    // In each round `act` begins a little later among the others.
    const repeat = async (once) => {
        const outcomes = {};
        for (let round = 0; round < rounds; round++) {
            const outcome = await once(round, (round * 7) % 20);
            outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        }
        return outcomes;
    };

    it('a new password and sign-ins with the former one: none of them is in', async (context) => {
        const outcomes = await repeat(async (round, delay) => {
            const [web, other] = both(at, round);
            const user = await addUser(at);
            const change = await prepare(web.port, '/auth/account/password', await signedIn(web.port, user));
            const enter = await prepare(other.port, '/auth/login');
            const entering = Array.from({ length: 6 }, (_, i) => wait(i * 4)
                .then(() => enter({ username: user.name, password: user.password })));
            await wait(delay);
            const changed = await change({ current: user.password, new: passwords[1], again: passwords[1] });
            assert.equal(changed.status, 303);
            // What begins now is refused, what began before has ended or is refused.
            assert.equal((await enter({ username: user.name, password: user.password })).status, 403);
            const answers = await Promise.all(entering);
            for (const { status } of answers) assert.ok([303, 403, 503].includes(status), String(status));
            await assertAllDead(at, answers, 'a former password');
            assert.deepEqual(await replay(at, cookieIn(changed), 6), [true]);
            await signedIn(web.port, { ...user, password: passwords[1] });
            return answers.filter(({ status }) => status === 303).length > 0 ? 'some were in before' : 'all came too late';
        });
        context.diagnostic(JSON.stringify(outcomes));
    });

    it('two new passwords: one of them is set, and one session is left', async () => {
        await repeat(async (round) => {
            const [web, other] = both(at, round);
            const user = await addUser(at);
            const ways = [];
            for (const { port } of [web, other]) ways.push(await prepare(port, '/auth/account/password', await signedIn(port, user)));
            const answers = await Promise.all(ways.map((send, i) =>
                send({ current: user.password, new: passwords[i + 1], again: passwords[i + 1] })));
            const given = answers.map((answer) => (answer.headers.location === '/auth/account/password?changed' ? cookieIn(answer) : undefined));
            const winners = given.filter(Boolean).length;
            assert.equal(winners, 1, answers.map(({ status, headers }) => `${status} ${headers.location}`).join());
            const winner = given.findIndex(Boolean);
            assert.deepEqual(await replay(at, given[winner], 6), [true]);
            const sessions = JSON.parse((await run(at, ['session', 'list', user.name, '--json'])).stdout);
            assert.equal(sessions.length, 1);
            for (const [i, password] of passwords.entries()) {
                const { status } = await new Browser(web.port).signIn({ ...user, password });
                assert.equal(status, i === winner + 1 ? 303 : 403, password);
            }
            return winner;
        });
    });

    for (const [name, args] of [['a lock', 'lock'], ['a removal', 'remove']]) {
        it(`${name} and sign-ins: nobody is in afterwards`, async () => {
            await repeat(async (round, delay) => {
                const [web, other] = both(at, round);
                const user = await addUser(at);
                const session = await signedIn(web.port, user);
                const enter = await prepare(other.port, '/auth/login');
                const login = { username: user.name, password: user.password };
                let over = false;
                const answers = [];
                const lanes = [0, 1].map(async () => {
                    while (!over) answers.push(await enter(login));
                });
                // Its pages meanwhile: an answer, whatever it is, and none of a program that fails.
                const looking = (async () => {
                    while (!over) {
                        for (const target of ['/auth/account/sessions', '/auth/account/activity', '/auth/session', page]) {
                            const { status } = await get(web.port, target, session.cookie);
                            assert.ok([200, 303, 401].includes(status), `${target}: ${status}`);
                        }
                    }
                })();
                await wait(delay * 2);
                await run(at, ['user', args, user.name]);
                assert.equal((await enter(login)).status, 403);
                assert.deepEqual(await replay(at, session.cookie, 6), [false]);
                over = true;
                await Promise.all([...lanes, looking]);
                assert.ok(answers.length > 0);
                await assertAllDead(at, answers, name);
                const left = await run(at, ['session', 'list', '--json']);
                assert.ok(!left.stdout.includes(`"${user.name}"`));
                return answers.some(({ status }) => status === 303);
            });
        });
    }

    it('a link used several times: once', async () => {
        await repeat(async (round) => {
            const user = await addUser(at);
            const link = new URL(/\S*\/account\/link\S*/.exec((await run(at, ['user', 'reset-link', user.name])).stdout)[0], 'http://h');
            const ways = [];
            for (let i = 0; i < 4; i++) ways.push(await prepare(at.webs[i % 2].port, link.pathname + link.search));
            const answers = await Promise.all(ways.map((send, i) =>
                send({ new: `${passwords[1]} ${i}`, again: `${passwords[1]} ${i}` })));
            const winners = answers.flatMap(({ status }, i) => (status === 303 ? [i] : []));
            assert.equal(winners.length, 1, answers.map(({ status }) => status).join());
            for (const { status } of answers) assert.ok([303, 404].includes(status), String(status));
            await signedIn(at.webs[0].port, { ...user, password: `${passwords[1]} ${winners[0]}` });
            return winners[0];
        });
    });

    it('a new secret and sign-ins and checks: none of them fails', async () => {
        const browser = await signedIn(at.webs[0].port, bob);
        await repeat(async (round) => {
            const [web, other] = both(at, round);
            const enter = await prepare(web.port, '/auth/login');
            let over = false;
            const checking = (async () => {
                for (let i = 0; !over; i++) assert.equal((await get(at.webs[i % 2].port, page, browser.cookie)).status, 200);
            })();
            const entering = Array.from({ length: 6 }, (_, i) => wait(i * 10)
                .then(() => enter({ username: bob.name, password: bob.password })));
            await run(at, ['secret', 'rotate']);
            const answers = await Promise.all(entering);
            over = true;
            await checking;
            for (const answer of answers) {
                assert.equal(answer.status, 303);
                assert.equal((await get(other.port, page, cookieIn(answer))).status, 200);
            }
            // Seven secrets are kept beside the present one.
            if (round % 5 === 4) {
                browser.jar.clear();
                assert.equal((await browser.signIn(bob)).status, 303);
            }
        });
    });

    it('the end of all sessions and sign-ins: who was in before is out, who comes later is in', async () => {
        await repeat(async (round, delay) => {
            const [web, other] = both(at, round);
            const user = await addUser(at);
            const enter = await prepare(other.port, '/auth/login');
            const login = { username: user.name, password: user.password };
            const before = [];
            let over = false;
            const lane = (async () => {
                while (!over) before.push(await enter(login));
            })();
            await wait(delay * 2);
            const earlier = [...before];
            await run(at, ['session', 'revoke-user', user.name]);
            over = true;
            await lane;
            await assertAllDead(at, earlier, 'in before the end of all began');
            const later = await enter(login);
            assert.deepEqual(await replay(at, cookieIn(later), 6), [true]);
            assert.ok(await isSignedIn(await signedIn(web.port, user)));
        });
    });
}, { settings: { throttle: { attempts: 100000 } } });

forEachStore('renewals at the same time', (at) => {
    beforeEach(() => at.clock.shift(0));

    it('each give a token that is good, and leave the former one as it was', async () => {
        for (let round = 0; round < rounds; round++) {
            at.clock.shift(0);
            const browser = await signedIn(at.webs[round % 2].port, bob);
            const former = browser.cookie;
            at.clock.pass(hour + minute);
            const answers = await Promise.all(Array.from({ length: 6 }, (_, i) =>
                get(at.webs[i % 2].port, `/auth/login?next=${encodeURIComponent(page)}`, former)));
            const given = answers.map(({ status, text }) => {
                assert.equal(status, 303);
                return /^Set-Cookie: (latchkey=[^;]+)/mi.exec(text)?.[1];
            }).filter(Boolean);
            assert.ok(given.length > 0);
            for (const cookie of [former, ...given]) assert.deepEqual(await replay(at, cookie, 6), [true]);
            const last = given.at(-1);
            const leave = new Browser(at.webs[0].port);
            leave.jar.set('latchkey', last.split('=')[1]);
            assert.equal((await leave.signOut()).status, 303);
            for (const cookie of [former, ...given]) assert.deepEqual(await replay(at, cookie, 6), [false]);
        }
    });
}, { ...clocked, only: ['cookie'] });
