// What people and administrators do, each as something that is done or not, never half: who does it,
// how it is known to be acknowledged, and facts that are all as before or all as after.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from '../web/support/child.mjs';
import { askFastcgi, parse } from '../web/support/direct.mjs';
import { plainLatchkey } from '../web/support/install.mjs';
import { cart, cgi, cookieOf, describe } from './world.mjs';

// Of "correct horse battery staple", as another program made it.
const importedHash = '$6$rounds=1000$saltsalt$j9Vf8YShD0koGhimfqidabEQeWmhpJ9YxprOCX.iV89zcJPtewN9pJnLRum4UDiZcBurQvcQNMKwhpHywoJfV/';

const pick = (list) => list[Math.floor(Math.random() * list.length)];

// The command, acknowledged by its exit status.
const command = (...words) => ({ program: 'latchkey', words, isAcknowledged: ({ status }) => status === 0 });

// A page, acknowledged by the whole of its answer.
const page = (program, request) => ({ program, request, isAcknowledged: ({ answer }) => answer.status === 303 });

const passing = (world, session, before, after, what = 'a session passes') =>
    ({ what, probe: () => world.passes(session), before, after });
const good = (world, user, password, before, after, what) =>
    ({ what, probe: () => world.isGood(user, password), before, after });

async function userWithSessions(world, count) {
    const free = [...world.users.values()].filter(({ isLocked, isApart }) => !isLocked && !isApart);
    const user = free.length > 0 ? pick(free) : await world.addUser();
    const sessions = world.sessions.filter((session) => session.user === user);
    while (sessions.length < count) sessions.push(await world.signIn(user));
    return { user, sessions };
}

const own = (user) => (session) => session.user === user;

async function signIn(world) {
    const { user } = await userWithSessions(world, 0);
    const count = () => world.do(['session', 'list', user.name, '--json']).then((text) => JSON.parse(text).length);
    const before = await count();
    return {
        ...page('login', world.signInRequest(user)),
        facts: ({ answer }) => [
            { what: 'there is one session more', probe: count, before, after: before + 1 },
            ...(answer.status === 303 ? [passing(world, { cookie: cookieOf(answer) }, undefined, true)] : []),
        ],
        apply: ({ answer }) => answer.status === 303 && world.remember(user, cookieOf(answer)),
    };
}

async function signOut(world) {
    const { sessions: [leaving, staying] } = await userWithSessions(world, 2);
    const csrf = await world.csrfOf(leaving, '/auth/logout');
    return {
        ...page('logout', { target: '/auth/logout', cookie: leaving.cookie, form: { csrf } }),
        facts: () => [passing(world, leaving, true, false), passing(world, staying, true, true)],
        apply: () => world.end((session) => session === leaving),
    };
}

async function endAll(world) {
    const { user, sessions } = await userWithSessions(world, 2);
    const csrf = await world.csrfOf(sessions[0], '/auth/account/sessions');
    return {
        ...page('account', { target: '/auth/account/sessions', cookie: sessions[0].cookie, form: { csrf, all: 1 } }),
        facts: () => sessions.map((session) => passing(world, session, true, false)),
        apply: () => world.end(own(user)),
    };
}

// What a new password means, whoever sets it.
const passwordFacts = (world, user, sessions, wanted) => [
    ...sessions.map((session) => passing(world, session, true, false, 'a session of the former password passes')),
    good(world, user, user.password, true, false, 'the former password is good'),
    good(world, user, wanted, false, true, 'the new password is good'),
];

function setPassword(world, user, wanted) {
    user.password = wanted;
    world.end(own(user));
}

async function changePassword(world) {
    const { user, sessions } = await userWithSessions(world, 2);
    const wanted = `purple elephants yawn ${++world.number} times`;
    const csrf = await world.csrfOf(sessions[0], '/auth/account/password');
    const form = { csrf, current: user.password, new: wanted, again: wanted };
    return {
        ...page('account', { target: '/auth/account/password', cookie: sessions[0].cookie, form }),
        facts: ({ answer }) => [
            ...passwordFacts(world, user, sessions, wanted),
            ...(answer.status === 303 ? [passing(world, { cookie: cookieOf(answer) }, undefined, true)] : []),
        ],
        apply({ answer }) {
            setPassword(world, user, wanted);
            if (answer.status === 303) world.remember(user, cookieOf(answer));
        },
    };
}

async function passwd(world) {
    const { user, sessions } = await userWithSessions(world, 1);
    const wanted = `purple elephants yawn ${++world.number} times`;
    return {
        ...command('user', 'passwd', user.name, '--password-stdin'), input: `${wanted}\n`,
        facts: () => passwordFacts(world, user, sessions, wanted), apply: () => setPassword(world, user, wanted),
    };
}

const isListed = (world, name, what) => world.listUsers().then((users) => what(users[name]));

async function lock(world) {
    const { user, sessions } = await userWithSessions(world, 2);
    return {
        ...command('user', 'lock', user.name),
        facts: () => [
            ...sessions.map((session) => passing(world, session, true, false, 'a session of who is locked passes')),
            { what: 'is locked', probe: () => isListed(world, user.name, (listed) => listed.locked), before: false, after: true },
            good(world, user, user.password, true, false, 'may sign in'),
        ],
        apply() {
            user.isLocked = true;
            world.end(own(user));
        },
    };
}

async function unlock(world) {
    let user = [...world.users.values()].find(({ isLocked }) => isLocked);
    if (!user) {
        ({ user } = await userWithSessions(world, 0));
        await world.do(['user', 'lock', user.name]);
        user.isLocked = true;
        world.end(own(user));
    }
    return {
        ...command('user', 'unlock', user.name),
        facts: () => [good(world, user, user.password, false, true, 'may sign in')],
        apply: () => { user.isLocked = false; },
    };
}

async function add(world) {
    const user = { name: world.newName(), password: 'a long sentence of a new one', isLocked: false };
    return {
        ...command('user', 'add', user.name, '--password-stdin'), input: `${user.password}\n`,
        facts: () => [
            { what: 'is there', probe: () => isListed(world, user.name, Boolean), before: false, after: true },
            good(world, user, user.password, false, true, 'may sign in'),
        ],
        apply: () => world.users.set(user.name, user),
    };
}

async function remove(world) {
    const user = await world.addUser();
    const session = await world.signIn(user);
    return {
        ...command('user', 'remove', user.name),
        facts: () => [
            passing(world, session, true, false, 'a session of who is removed passes'),
            { what: 'is there', probe: () => isListed(world, user.name, Boolean), before: true, after: false },
        ],
        apply() {
            world.users.delete(user.name);
            world.end(own(user));
        },
    };
}

// Users of an htpasswd file, more than fit into one page: all or none.
async function importUsers(world) {
    const users = Array.from({ length: 1 + Math.floor(Math.random() * 60) }, () =>
        ({ name: world.newName(), password: 'correct horse battery staple', isLocked: false }));
    const file = path.join(world.install.folder, 'htpasswd');
    writeFileSync(file, users.map(({ name }) => `${name}:${importedHash}\n`).join(''));
    const count = async () => {
        const listed = await world.listUsers();
        return users.filter(({ name }) => listed[name]).length;
    };
    return {
        ...command('user', 'import', file),
        facts: () => [
            { what: 'users were imported', probe: count, before: 0, after: users.length },
            good(world, users.at(-1), users[0].password, false, true, 'the last of them may sign in'),
        ],
        async apply() {
            for (const user of users) await world.do(['user', 'remove', user.name]);
        },
    };
}

async function revoke(world) {
    const { user, sessions: [first, second] } = await userWithSessions(world, 2);
    const listed = JSON.parse(await world.do(['session', 'list', user.name, '--json']));
    const ids = listed.map(({ id }) => id);
    // Which of them is whose is not said: so all but one go before.
    for (const id of ids.slice(1)) await world.do(['session', 'revoke', id]);
    const last = [];
    for (const session of world.sessions.filter(own(user))) if (await world.passes(session)) last.push(session);
    world.end((session) => own(user)(session) && !last.includes(session));
    return {
        ...command('session', 'revoke', ids[0]),
        facts: () => last.map((session) => passing(world, session, true, false)).concat(
            last.includes(second) ? [] : [passing(world, second, false, false)],
            last.includes(first) ? [] : [passing(world, first, false, false)]),
        apply: () => world.end(own(user)),
    };
}

async function revokeUser(world) {
    const { user, sessions } = await userWithSessions(world, 3);
    return {
        ...command('session', 'revoke-user', user.name),
        facts: () => sessions.map((session) => passing(world, session, true, false)), apply: () => world.end(own(user)),
    };
}

async function revokeAll(world) {
    await userWithSessions(world, 2);
    return {
        ...command('session', 'revoke-all'),
        facts: () => world.sessions.map((session) => passing(world, session, true, false)), apply: () => world.end(() => true),
    };
}

const secretsMax = 8; // KEYRING_SECRETS_MAX

// Those that a killed writer left go with the next change.
const noCopies = (world) => ({
    what: 'copies of secrets', probe: () => readdirSync(world.install.state).filter((name) => name.startsWith('secret.')).length,
    before: undefined, after: 0,
});

async function rotate(world) {
    await userWithSessions(world, 1);
    const before = world.readSecrets();
    return {
        ...command('secret', 'rotate'),
        facts: () => [
            { what: 'secrets of before are there', probe: () => world.readSecrets().filter((line) => before.includes(line)).length, before: before.length, after: Math.min(before.length, secretsMax - 1) },
            noCopies(world),
            { what: 'there is a new secret', probe: () => !before.includes(world.readSecrets()[0]), before: false, after: true },
            ...world.sessions.map((session) => passing(world, session, true, true, 'a session passes with a former secret')),
        ],
        // Sessions of a secret that leaves end; none is kept for so long.
        async apply() {
            if (++world.rotations % (secretsMax - 2) !== 0) return;
            await world.do(['session', 'revoke-all']);
            world.end(() => true);
            await world.renewForm();
        },
    };
}

async function revokeSecret(world) {
    await userWithSessions(world, 2);
    const before = world.readSecrets();
    return {
        ...command('secret', 'revoke'),
        facts: () => [
            { what: 'a former secret is there', probe: () => world.readSecrets().some((line) => before.includes(line)), before: true, after: false },
            noCopies(world),
            { what: 'there are that many secrets', probe: () => world.readSecrets().length, before: before.length, after: 1 },
            ...world.sessions.map((session) => passing(world, session, true, false, 'a session of a revoked secret passes')),
        ],
        async apply() {
            world.end(() => true);
            await world.renewForm();
        },
    };
}

async function purge(world) {
    await userWithSessions(world, 1);
    return {
        ...command('session', 'purge'),
        facts: () => world.sessions.map((session) => passing(world, session, true, true)), apply() {},
    };
}

async function backup(world) {
    const file = path.join(world.copies ?? world.install.folder, 'copy.db');
    const whole = async () => {
        if (!existsSync(file)) return 'absent';
        return `${await world.sql('PRAGMA integrity_check', file)}, ${await world.sql('SELECT count(*) FROM user', file)} users`;
    };
    return {
        ...command('backup', file),
        facts: () => [{ what: 'the copy', probe: whole, before: 'absent', after: `ok, ${world.users.size} users` }],
        apply() {}, tidy: () => rmSync(file, { force: true }),
    };
}

async function fillCart(world) {
    const { sessions: [session] } = await userWithSessions(world, 1);
    const article = world.newName();
    const { body } = await world.ask('cart', { target: '/cart', cookie: session.cookie });
    const csrf = /name="csrf" value="([^"]*)"/.exec(body)[1];
    const holds = async () => (await world.ask('cart', { target: '/cart', cookie: session.cookie })).body.includes(`>${article}: fresh `) ||
        (await world.ask('cart', { target: '/cart', cookie: session.cookie })).body.includes(`<li>${article}: fresh`);
    return {
        ...page('cart', { target: '/cart', cookie: session.cookie, form: { csrf, action: 'add', article, remark: 'fresh' } }),
        facts: () => [{ what: 'it is in the cart', probe: holds, before: false, after: true }], apply() {},
    };
}

// Each with how often it is chosen; `isFor`: not in every store.
export const acts = [
    { name: 'sign-in', make: signIn, weight: 3 }, { name: 'sign-out', make: signOut, weight: 3 },
    { name: 'sign-out everywhere', make: endAll, weight: 1 }, { name: 'change of password', make: changePassword, weight: 3 },
    { name: 'user passwd', make: passwd, weight: 1 }, { name: 'user lock', make: lock, weight: 2 },
    { name: 'user unlock', make: unlock, weight: 1 }, { name: 'user add', make: add, weight: 1 },
    { name: 'user remove', make: remove, weight: 1 }, { name: 'user import', make: importUsers, weight: 2 },
    { name: 'session revoke', make: revoke, weight: 1 }, { name: 'session revoke-user', make: revokeUser, weight: 1 },
    { name: 'session revoke-all', make: revokeAll, weight: 1 }, { name: 'secret rotate', make: rotate, weight: 2 },
    { name: 'secret revoke', make: revokeSecret, weight: 1 }, { name: 'session purge', make: purge, weight: 2 },
    { name: 'backup', make: backup, weight: 1 },
    { name: 'session data', make: fillCart, weight: 1, isFor: (store) => store !== 'cookie' },
];

// Runs what somebody does, by a program that starts for it, or by one that runs: { status, answer, ... }.
export async function perform(world, doing, { isRunning = false, env = world.env, ...more } = {}) {
    if (doing.request === undefined) {
        const result = await runToEnd([plainLatchkey, ...doing.words], { env, input: doing.input, ...more });
        return { ...result, answer: parse('') };
    }
    const { input, variables } = describe(doing.request);
    if (isRunning) {
        const answer = await askFastcgi(world.install.socket(doing.program), variables, 'responder', { body: input });
        return { status: answer.status === 0 ? 'SIGKILL' : 0, answer };
    }
    const command = doing.program === 'cart' ? cart : cgi(doing.program);
    const result = await runToEnd([command], { env: { ...env, ...variables }, input, ...more });
    return { ...result, answer: parse(result.output) };
}

// Asks for all facts: whether all are as before, whether all are as after, and what they are. What is
// undefined before can be known from the answer only, and counts when that was given.
export async function ask(facts) {
    const told = [];
    for (const fact of facts) told.push({ ...fact, is: await fact.probe() });
    return {
        isBefore: told.every(({ is, before }) => before === undefined || is === before),
        isAfter: told.every(({ is, after }) => is === after),
        text: told.map(({ what, is, before, after }) => `${what}: ${is} (before ${before}, after ${after})`).join('; '),
    };
}
