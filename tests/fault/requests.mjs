// What is asked of the FastCGI programs while something fails.
//
// A scenario has the name of the program whose calls fail, and
//   prepare(world)        makes what the request needs, without faults; its result is passed on;
//   act(ready)            sends the one request;
//   right(answer, ready)  whether it was answered as if nothing had failed;
//   check(ready, right)   whether all holds that was answered, and the next request is right;
//   only                  the functions that fail, where not all do.
// What is neither right nor a failure that is told is wrong; the sweep sees to that.
import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formFields } from '../web/support/http.mjs';
import { alice, bob } from '../web/support/install.mjs';
import { Client } from './world.mjs';

const tokenOf = (client) => client.jar.get('latchkey');
const isPage = (answer, ...words) => answer.status === 200 && answer.ended && /<\/html>\s*$/.test(answer.body) &&
    words.every((word) => answer.body.includes(word));
const isPass = (answer, user = 'alice') => answer.status === 204 && answer.headers['remote-user'] === user &&
    (user !== 'alice' || (answer.headers['remote-name'] === 'Alice Example' &&
    answer.headers['remote-email'] === 'alice@example.org' && answer.headers['remote-groups'] === 'staff'));
const isNobody = (answer) => answer.status === 401 && /^\/auth\/login\?next=/.test(answer.headers.location ?? '');

async function assertAlive(client, what = 'the next check passes') {
    const answer = await client.check();
    assert.ok(isPass(answer, client.user ?? 'alice'), `${what}: ${answer.status}`);
}
async function assertDead(client, what) {
    const answer = await client.check();
    assert.equal(answer.status, 401, what);
}

// Who is signed in already, and known to the gate.
async function resident(world) {
    if (world.resident === undefined || world.plan.passed - world.resident.since > 1800) {
        world.resident = await world.signedIn();
        world.resident.since = world.plan.passed;
        world.resident.from = world.install.log.length;
    }
    await assertAlive(world.resident);
    return world.resident;
}

// Somebody of whom the programs know nothing.
const newcomer = (world) => world.signedIn();

const gate = { program: 'gate', act: (client) => client.check(), right: (answer) => isPass(answer), check: (client) => assertAlive(client) };
const nobody = { program: 'gate', act: (client) => client.check(), right: isNobody };

// Something was ended, so that the gate asks the database again about those it knows.
async function endSomething(world) {
    const other = await world.signedIn(bob);
    assert.equal((await other.signOut()).status, 303);
}

// Leaves the gate's connection to the database spoiled, so that the next request makes a new one.
async function spoil(world, client) {
    await endSomething(world);
    world.plan.watch('gate');
    world.plan.arm([{ name: 'sqlite3_step', how: 'before', error: 10, nth: 1, span: 2 ** 40 }]);
    const { status } = await client.check();
    world.plan.disarm();
    world.plan.watch('');
    assert.equal(status, 503, 'a database that answers nothing');
}

const gateScenarios = [
    { name: 'gate, passes, first time', ...gate, prepare: newcomer },
    { name: 'gate, passes, known', ...gate, prepare: resident },
    { name: 'gate, passes, a library dies', ...gate, prepare: resident, withFrail: true, only: ['malloc', 'calloc'] },
    {
        name: 'gate, passes, as authorizer', ...gate, prepare: resident,
        act: (client) => client.check({ role: 'authorizer' }),
        right: (answer) => answer.status === 200 && answer.headers['variable-remote_user'] === 'alice' &&
            answer.headers['variable-remote_groups'] === 'staff',
    },
    {
        name: 'gate, passes, database opened anew', ...gate,
        prepare: async (world) => {
            const client = await resident(world);
            await spoil(world, client);
            return client;
        },
    },
    {
        name: 'gate, passes, something was ended', ...gate,
        prepare: async (world) => {
            const client = await resident(world);
            await endSomething(world);
            return client;
        },
    },
    {
        name: 'gate, passes, secret read again', ...gate,
        prepare: async (world) => {
            const client = await resident(world);
            const now = Date.now() / 1000;
            utimesSync(path.join(world.install.state, 'secret'), now, now);
            return client;
        },
    },
    {
        name: 'gate, passes, notes the use', ...gate,
        prepare: async (world) => {
            const client = await resident(world);
            world.plan.pass(61);
            return client;
        },
        act: async (client) => {
            const answer = await client.check();
            await sleep(25);
            return answer;
        },
    },
    {
        name: 'gate, not signed in', ...nobody,
        prepare: async (world) => new Client(world),
        check: async (client) => assert.ok(isNobody(await client.check())),
    },
    {
        name: 'gate, forged token', ...nobody,
        prepare: async (world) => {
            const client = new Client(world);
            const token = tokenOf(await resident(world));
            client.jar.set('latchkey', token.slice(0, -6) + (token.endsWith('AAAAAA') ? 'BAAAAA' : 'AAAAAA'));
            return client;
        },
        check: async (client) => assert.ok(isNobody(await client.check())),
    },
    {
        name: 'gate, signed out', ...nobody,
        prepare: async (world) => {
            const client = await newcomer(world);
            await assertAlive(client);
            const copy = client.copy();
            assert.equal((await client.signOut()).status, 303);
            return copy;
        },
        check: async (client) => assert.ok(isNobody(await client.check())),
    },
    {
        name: 'gate, not allowed', program: 'gate', prepare: resident,
        act: (client) => client.check({ more: { LATCHKEY_GROUPS: 'admins' } }),
        right: (answer) => answer.status === 403 && answer.ended,
        check: assertAlive,
    },
    {
        name: 'gate, to be renewed', program: 'gate',
        prepare: async (world) => {
            const client = await newcomer(world);
            world.plan.pass(3700);
            return client;
        },
        act: (client) => client.fetch('/private/page.html'),
        right: (answer, client) => (client.world.store === 'cookie' ? isNobody(answer) : isPass(answer)),
        check: (client) => assertAlive(client),
    },
];

// A form that waits to be sent by `client`.
async function fill(client, target, more) {
    const page = await client.fetch(target);
    assert.equal(page.status, 200, `${target} before a form`);
    const fields = { ...formFields(page.body), ...more };
    delete fields.all;
    return { client, fields, target: target.split('?')[0] };
}
const send = ({ client, fields, target }) => client.post(target, fields);
const isRedirect = (to) => (answer) => answer.status === 303 && answer.headers.location === to && answer.cookies.length > 0;

const signInForm = (user) => async (world) => fill(new Client(world), '/auth/login', { username: user.name, password: user.password });

const loginScenarios = [
    {
        name: 'login page', program: 'login', prepare: async (world) => new Client(world),
        act: (client) => client.fetch('/auth/login?next=%2Fprivate%2Fpage.html'),
        right: (answer) => isPage(answer, 'name="password"', 'name="csrf"') && answer.cookies.length > 0,
        check: async (client) => assert.equal((await client.copy().signIn(alice)).status, 303),
    },
    {
        name: 'sign-in', program: 'login', prepare: signInForm(alice), act: send, right: isRedirect('/auth/account'),
        check: async ({ client, fields, target }, right) => {
            if (right) await assertAlive(client, 'who was signed in passes');
            const next = await client.post(target, fields);
            assert.ok(next.status === 303 || (right && next.status === 403), `the next sign-in: ${next.status}`);
            if (!right) await assertAlive(client);
            else assert.equal((await new Client(client.world).signIn(alice)).status, 303);
        },
    },
    ...[{ name: 'alice', password: 'no such words at all' }, { name: 'nobody-here', password: alice.password }].map((user) => ({
        name: `sign-in, ${user.name === 'alice' ? 'wrong password' : 'no such user'}`, program: 'login',
        prepare: signInForm(user), act: send,
        right: (answer) => answer.status === 403 && answer.ended && answer.body.includes('name="password"'),
        check: async ({ client }) => {
            assert.equal((await client.check()).status, 401);
            assert.equal((await client.signIn(alice)).status, 303);
            await assertAlive(client);
        },
    })),
    {
        name: 'renewal', program: 'login',
        prepare: async (world) => {
            const client = await world.signedIn();
            world.plan.pass(3700);
            return client;
        },
        act: (client) => client.fetch('/auth/login?next=%2Fprivate%2Fpage.html'),
        right: isRedirect('/private/page.html'),
        check: async (client) => {
            await assertAlive(client);
            const next = await client.fetch('/auth/login?next=%2Fprivate%2Fpage.html');
            assert.equal(next.status, 303);
            await assertAlive(client);
        },
    },
];

const signedOut = (answer) => answer.status === 303 && answer.headers.location === '/auth/login?signed-out';

const logoutScenarios = [
    {
        name: 'logout page', program: 'logout', prepare: newcomer, act: (client) => client.fetch('/auth/logout'),
        right: (answer) => isPage(answer, 'name="csrf"'),
        check: async (client) => {
            await assertAlive(client);
            assert.ok(isPage(await client.fetch('/auth/logout')));
        },
    },
    {
        name: 'sign-out', program: 'logout', act: send, right: signedOut,
        prepare: async (world) => {
            const client = await world.signedIn();
            await assertAlive(client);
            return { ...await fill(client, '/auth/logout'), copy: client.copy() };
        },
        check: async ({ copy, fields, target }, right) => {
            await resident(copy.world);
            if (right) {
                await assertDead(copy, 'who was signed out is out');
            } else if ((await copy.check()).status === 204) {
                assert.ok(signedOut(await copy.copy().post(target, fields)), 'the next sign-out');
            }
            await assertDead(copy, 'who was signed out then is out');
        },
    },
];

const page = (name, target, ...words) => ({
    name, program: 'account', prepare: resident, act: (client) => client.fetch(target),
    right: (answer) => isPage(answer, ...words),
    check: async (client) => assert.ok(isPage(await client.fetch(target), ...words)),
});

const wordings = ['seven purple elephants yawn', 'eleven quiet rivers bend twice'];

// A user of one's own, whose password is one of two.
async function owner(world) {
    if (world.owner === undefined) {
        world.owner = { name: 'carol', password: wordings[0] };
        world.install.addUser(world.owner);
    }
    return world.owner;
}
const otherWording = (wording) => wordings[1 - wordings.indexOf(wording)];

// Exactly one of the two passwords is good; notes which.
async function findPassword(world, user) {
    const good = [];
    for (const password of wordings) {
        const client = new Client(world);
        const { status } = await client.signIn({ ...user, password });
        assert.ok([303, 403].includes(status), `a sign-in afterwards: ${status}`);
        if (status === 303) good.push(password);
    }
    assert.equal(good.length, 1, 'one password is good');
    [user.password] = good;
    return good[0];
}

const accountScenarios = [
    page('account page', '/auth/account', 'Alice Example'),
    page('devices page', '/auth/account/sessions', 'this one'),
    page('activity page', '/auth/account/activity'),
    {
        name: 'who am I', program: 'account', prepare: resident, act: (client) => client.fetch('/auth/session'),
        right: (answer) => answer.status === 200 && answer.ended && JSON.parse(answer.body).user === 'alice' &&
            JSON.parse(answer.body).groups[0] === 'staff',
        check: assertAlive,
    },
    {
        name: 'password change', program: 'account', act: send, right: isRedirect('/auth/account/password?changed'),
        prepare: async (world) => {
            const user = await owner(world);
            const [client, elsewhere] = [await world.signedIn(user), await world.signedIn(user)];
            for (const one of [client, elsewhere]) {
                one.user = user.name;
                await assertAlive(one);
            }
            const wanted = otherWording(user.password);
            const former = client.copy();
            return {
                ...await fill(client, '/auth/account/password', { current: user.password, new: wanted, again: wanted }),
                user, former, elsewhere, wanted,
            };
        },
        check: async ({ client, user, former, elsewhere, wanted }, right) => {
            client.user = user.name;
            const present = await findPassword(client.world, user);
            if (right) assert.equal(present, wanted, 'the password that was acknowledged is good');
            if (right) await assertAlive(client, 'who changed it is signed in');
            const [old, other] = [await former.check(), await elsewhere.check()];
            const expected = present === wanted ? 401 : 204;
            assert.equal(old.status, expected, 'the session in which it was changed');
            assert.equal(other.status, expected, 'the session elsewhere');
        },
    },
    {
        name: 'end one session', program: 'account', act: send,
        right: (answer) => answer.status === 303 && /^\/auth\/account\/sessions/.test(answer.headers.location ?? ''),
        prepare: async (world) => {
            const user = await owner(world);
            world.run(['session', 'revoke-user', user.name]);
            const [client, elsewhere] = [await world.signedIn(user), await world.signedIn(user)];
            for (const one of [client, elsewhere]) {
                one.user = user.name;
                await assertAlive(one);
            }
            const list = await client.fetch('/auth/account/sessions');
            const other = list.body.split('<li>').find((item) => item.includes('name="id"') && !item.includes('this one'));
            return { client, fields: formFields(other.split('</form>')[0]), target: '/auth/account/sessions', elsewhere };
        },
        check: async ({ client, elsewhere, fields, target }, right) => {
            await assertAlive(client, 'one\'s own session');
            if (right) await assertDead(elsewhere, 'what was ended is over');
            const { status } = await client.post(target, fields);
            assert.ok([303, 404].includes(status), `the next one: ${status}`);
            await assertDead(elsewhere, 'what was ended then is over');
        },
    },
];

async function makeLink(world) {
    const user = await owner(world);
    const link = /https?:\S+|\/auth\/account\/link\S+/.exec(world.run(['user', 'reset-link', user.name]))[0];
    return { user, target: link.slice(link.indexOf('/auth/')), client: new Client(world) };
}

const linkScenarios = [
    {
        name: 'link page', program: 'account', prepare: makeLink, act: ({ client, target }) => client.fetch(target),
        right: (answer) => isPage(answer, 'carol'),
        check: async ({ client, target }) => assert.ok(isPage(await client.fetch(target), 'carol')),
    },
    {
        name: 'link used', program: 'account', act: send, right: isRedirect('/auth/account'),
        prepare: async (world) => {
            const link = await makeLink(world);
            const wanted = otherWording(link.user.password);
            return { ...await fill(link.client, link.target, { new: wanted, again: wanted }), ...link, target: '/auth/account/link', page: link.target, wanted };
        },
        check: async ({ client, user, wanted, page: target }, right) => {
            const present = await findPassword(client.world, user);
            client.user = user.name;
            if (right) {
                assert.equal(present, wanted, 'the password that was acknowledged is good');
                await assertAlive(client, 'who used the link is signed in');
            }
            const again = await new Client(client.world).fetch(target);
            assert.equal(again.status, present === wanted ? 404 : 200, 'the link afterwards');
        },
    },
];

export const requestScenarios = [...gateScenarios, ...loginScenarios, ...logoutScenarios, ...accountScenarios, ...linkScenarios];
