// What a check takes in system calls and instructions, which a busy machine does not change; for `make
// bench-profile`. Prints tables with what changed, keeps them in docs/performance.md, and writes
// $BUILD/profile.json. Usage: profile.mjs; environment: STORES and SERVERS, as in README.md; what is left
// out is not kept either.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { request } from '../web/support/http.mjs';
import { until } from '../web/support/install.mjs';
import { ask } from './ask.mjs';
import { countCalls } from './calls.mjs';
import { startBoth } from './checks.mjs';
import { Installation } from './installation.mjs';
import { countInstructions } from './instructions.mjs';
import { describeMachine, keep } from './kept.mjs';
import { grouped } from './numbers.mjs';
import { describe, Report } from './report.mjs';
import { makeFolder, program, runBench } from './scratch.mjs';
import { page, startServer } from './servers.mjs';
import { isWhole, readSettings } from './settings.mjs';

const rareCalls = 0.02;        // of a check: not worth a line, and not the same in each run
const rareInstructions = 200;

// How often sessions are asked for.
const few = 500;         // of those that a worker knows, and as many that it does not know yet
const known = 100;       // of those whose system calls are counted
const warm = 50;         // checks of each of them before, until every worker has seen it
const alone = 1000;      // checks under strace, one after the other
const crowded = 4000;    // the same on many connections
const pages = 100;

// `parts` is { column: { row: figure } }; the rows with the largest first, those below `least` in no
// column are left out, and a total.
function makeTable(title, parts, least, print) {
    const columns = Object.keys(parts);
    const greatest = (row) => Math.max(...columns.map((column) => parts[column][row] ?? 0));
    const rows = [...new Set(columns.flatMap((column) => Object.keys(parts[column])))]
        .filter((row) => greatest(row) >= least).sort((a, b) => greatest(b) - greatest(a));
    const total = (column) => Object.values(parts[column]).reduce((sum, figure) => sum + figure, 0);
    const cell = (figure) => (figure === undefined ? '' : print(figure));
    return { title, head: ['', ...columns], rows: [
        ...rows.map((row) => [row, ...columns.map((column) => cell(parts[column][row]))]),
        ['total', ...columns.map((column) => print(total(column)))],
    ] };
}

// { name: after - before of it, for each of `count` }
const perEach = (before, after, count) => Object.fromEntries(
    Object.entries(after).map(([name, figure]) => [name, (figure - (before[name] ?? 0)) / count]));

const cookiesOf = (installation) => readFileSync(installation.list, 'utf8').trim().split('\n')
    .map((line) => line.split('\t')[1]);

// Resolves to { reference, gate } of { alone, crowded }, each { call: how many for a check }.
async function profileCalls(bench, installation, server) {
    const both = await startBoth(bench, installation, server);
    const cookies = cookiesOf(installation).slice(0, known);
    const result = {};
    for (const name of ['reference', 'gate']) {
        const { port, pids } = both[name];
        const count = async (checks, connections) => {
            const work = () => ask({ port, target: page, cookies, count: checks, connections });
            return perEach({}, await countCalls(bench.scratch, pids, work), checks);
        };
        await ask({ port, target: page, cookies, count: known * warm, connections: bench.settings.connections });
        result[name] = {
            alone: await count(alone, 1),
            crowded: await count(crowded, bench.settings.connections),
        };
    }
    await both.stop();
    return result;
}

// What runs under callgrind for a web server: { gate or login: countInstructions's description }.
function describePrograms(installation) {
    const { folder, env } = installation;
    const socketOf = (name) => path.join(folder, `${name}-callgrind.sock`);
    return {
        reference: { command: [program('bench/null_responder'), socketOf('gate'), '1'],
            socket: socketOf('gate'), listens: true },
        gate: { command: [program('cgi-bin/gate')], env, socket: socketOf('gate') },
        login: { command: [program('cgi-bin/login')], env, socket: socketOf('login') },
    };
}

// Resolves to { seen, unseen }, the instructions of a check, { place: instructions }: of a session
// that the worker remembers, and of one that it does not. There is one worker. (lighttpd asks nobody for a second after it found
// nobody. The one request that tries for it is in each run, and so in no difference of them.)
async function profileChecks({ scratch }, contender, port, cookies) {
    const use = (sessions, times) => countInstructions(scratch, contender, async () => {
        await until('the web server to see the gate', async () => (await request(port, page)).status < 500);
        await ask({ port, target: page, cookies: cookies.slice(0, sessions), count: sessions * times });
    });
    const once = await use(few, 1);
    return {
        seen: perEach(once, await use(few, 2), few),
        unseen: perEach(once, await use(2 * few, 1), few),
    };
}

async function profilePage({ scratch }, contender, port) {
    const headers = { accept: 'text/html' };
    const use = (count) => countInstructions(scratch, contender, () =>
        ask({ port, target: '/auth/login', cookies: [''], count, headers }));
    return perEach(await use(pages), await use(2 * pages), pages);
}

// One store and the null responder, the login form where `withForm`, behind one web server. Resolves to
// { seen, unseen, form } of { column: { place: instructions } }.
async function profileBehind(bench, installation, name, withForm) {
    const { scratch, settings } = bench;
    const { store } = installation;
    const { reference, gate, login } = describePrograms(installation);
    const sockets = installation.makeSockets(`callgrind-${name}`, { gate: gate.socket, login: login.socket });
    const server = await startServer(name, scratch, sockets, settings);
    const { port } = server;
    const cookies = cookiesOf(installation);
    const result = { seen: {}, unseen: {}, form: {} };
    if (store === settings.stores[0]) {
        result.seen['null responder'] = (await profileChecks(bench, reference, port, cookies)).seen;
        if (withForm) result.form['login form'] = await profilePage(bench, login, port);
    }
    ({ seen: result.seen[store], unseen: result.unseen[store] } = await profileChecks(bench, gate, port, cookies));
    await scratch.stop(server);
    return result;
}

// Resolves to tables. What a session costs that is not known does not depend on the web server.
async function profileInstructions(bench) {
    const { scratch, settings, report } = bench;
    const results = {};
    const [first] = settings.servers;
    for (const store of settings.stores) {
        const installation = new Installation(scratch, { ...settings, gateWorkers: 1, loginWorkers: 1 },
            { name: `one-${store}`, store, sessions: 2 * few, confinement: 'off' }); // valgrind cannot give up what it needs itself
        await installation.make();
        for (const server of settings.servers) {
            report.say(`instructions of a check, ${store} store, behind ${server}`);
            const result = await profileBehind(bench, installation, server, server === first);
            results[server] ??= { seen: {}, unseen: {}, form: {} };
            for (const part of Object.keys(result)) Object.assign(results[server][part], result[part]);
        }
    }
    const print = (figure) => grouped(Math.round(figure));
    const table = (what, parts) => makeTable(`Instructions of ${what}`, parts, rareInstructions, print);
    const { unseen, form } = results[first];
    return [
        ...settings.servers.map((server) =>
            table(`a check behind ${server}, of a session that the worker knows`, results[server].seen)),
        table(`a check behind ${first}, of a session that the worker sees for the first time`, unseen),
        table(`GET /auth/login behind ${first}`, form),
    ];
}

async function profileAllCalls(bench) {
    const { scratch, settings, report } = bench;
    const results = {};
    for (const store of settings.stores) {
        const installation = new Installation(scratch, settings, { name: store, store, sessions: settings.few });
        for (const server of settings.servers) {
            report.say(`system calls of a check, ${store} store, behind ${server}`);
            const { reference, gate } = await profileCalls(bench, installation, server);
            results[server] ??= { alone: { 'null responder': reference.alone }, crowded: { 'null responder': reference.crowded } };
            for (const way of Object.keys(gate)) results[server][way][store] = gate[way];
        }
    }
    const print = (figure) => figure.toFixed(2);
    const table = (what, parts) => makeTable(`System calls of a check behind ${what}`, parts, rareCalls, print);
    return settings.servers.flatMap((server) => [
        table(`${server}, one at a time`, results[server].alone),
        table(`${server}, ${settings.connections} connections`, results[server].crowded),
    ]);
}

runBench('bench-profile', async (scratch) => {
    const settings = readSettings(process.env, false);
    const report = new Report(settings);
    const bench = { scratch, settings, report };
    const tables = [...await profileAllCalls(bench), ...await profileInstructions(bench)];
    for (const { title, head, rows } of tables) report.table(title, head, rows);
    report.write(program('profile.json'));
    keep('profile', describeMachine(describe()), tables, isWhole(settings));
    return 0;
});
