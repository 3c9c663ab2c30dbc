// What a check takes in system calls and instructions, which a busy machine does not change; for `make
// bench-profile`. Prints tables with what changed, keeps them in docs/performance.md, and writes
// $BUILD/profile.json. Usage: profile.mjs; environment: STORES, as in README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
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
import { readSettings } from './settings.mjs';

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
async function profileCalls(bench, installation) {
    const both = await startBoth(bench, installation, 'nginx');
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

// What runs under callgrind for nginx: { gate or login: countInstructions's description }.
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
// that the worker remembers, and of one that it does not. There is one worker.
async function profileChecks({ scratch }, contender, port, cookies) {
    const use = (sessions, times) => countInstructions(scratch, contender, () =>
        ask({ port, target: page, cookies: cookies.slice(0, sessions), count: sessions * times }));
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

async function profileInstructions(bench) {
    const { scratch, settings, report } = bench;
    const seen = {};
    const unseen = {};
    for (const store of settings.stores) {
        const installation = new Installation(scratch, { ...settings, gateWorkers: 1, loginWorkers: 1 },
            { name: `one-${store}`, store, sessions: 2 * few });
        await installation.make();
        const { reference, gate, login } = describePrograms(installation);
        const sockets = installation.makeSockets('callgrind', { gate: gate.socket, login: login.socket });
        const server = await startServer('nginx', scratch, sockets, settings);
        const { port } = server;
        const cookies = cookiesOf(installation);
        if (store === settings.stores[0]) {
            report.say('instructions of the null responder and of the login form');
            seen['null responder'] = (await profileChecks(bench, reference, port, cookies)).seen;
            seen['login form'] = await profilePage(bench, login, port);
        }
        report.say(`instructions of a check, ${store} store`);
        ({ seen: seen[store], unseen: unseen[store] } = await profileChecks(bench, gate, port, cookies));
        await scratch.stop(server);
    }
    const { 'login form': form, ...checks } = seen;
    const whole = (figure) => grouped(Math.round(figure));
    return [
        makeTable('Instructions of a check, of a session that the worker knows', checks, rareInstructions, whole),
        makeTable('Instructions of a check, of a session that the worker sees for the first time', unseen, rareInstructions, whole),
        makeTable('Instructions of GET /auth/login', { 'login form': form }, rareInstructions, whole),
    ];
}

async function profileAllCalls(bench) {
    const { scratch, settings, report } = bench;
    const ways = { alone: {}, crowded: {} };
    for (const store of settings.stores) {
        report.say(`system calls of a check, ${store} store`);
        const result = await profileCalls(bench, new Installation(scratch, settings, { name: store, store, sessions: settings.few }));
        for (const way of Object.keys(ways)) {
            ways[way]['null responder'] ??= result.reference[way];
            ways[way][store] = result.gate[way];
        }
    }
    const print = (figure) => figure.toFixed(2);
    return [
        makeTable('System calls of a check, one at a time', ways.alone, rareCalls, print),
        makeTable(`System calls of a check, ${settings.connections} connections`, ways.crowded, rareCalls, print),
    ];
}

runBench('bench-profile', async (scratch) => {
    const settings = readSettings(process.env, false);
    const report = new Report(settings);
    const bench = { scratch, settings, report };
    const tables = [...await profileAllCalls(bench), ...await profileInstructions(bench)];
    for (const { title, head, rows } of tables) report.table(title, head, rows);
    report.write(program('profile.json'));
    keep('profile', describeMachine(describe()), tables);
    return 0;
});
