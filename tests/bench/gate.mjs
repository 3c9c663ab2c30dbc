// Measures the programs beside what they are to be compared with, as README.md says; for `make bench`.
// Prints tables, and writes them to $BUILD/bench.json.
// Environment: BUILD, ROUNDS (5), SECONDS (4, of each measurement), SESSIONS (1000), STORE (database).
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnSync } from 'node:child_process';
import { formFields, encodeForm, request } from '../web/support/http.mjs';
import { Service, root, until } from '../web/support/install.mjs';
import { cpuTime, family, interleave, load, median, memory, ratio, run, spread } from './measure.mjs';
import { makeFolder, page, servers } from './servers.mjs';

const build = path.resolve(root, process.env.BUILD ?? 'build');
const rounds = Number(process.env.ROUNDS ?? 5);
const seconds = Number(process.env.SECONDS ?? 4);
const sessions = Number(process.env.SESSIONS ?? 1000);
const store = process.env.STORE ?? 'database';
const cores = os.cpus().length;
const gateWorkers = 2 * cores;
const connections = 16;
const password = 'a password for the bench';
const program = (name) => path.join(build, name);

const services = [];
const tables = [];
const folder = mkdtempSync(path.join(os.tmpdir(), 'latchkey-bench-'));
const runFolder = path.join(folder, 'run');
const config = path.join(folder, 'latchkey.conf');
const configured = { env: { ...process.env, LATCHKEY_CONFIG: config } };

function keep(service) {
    services.push(service);
    return service;
}

function table(title, head, rows) {
    const lines = [head, ...rows].map((row) => row.map(String));
    const widths = head.map((_, i) => Math.max(...lines.map((row) => row[i].length)));
    const print = (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
    tables.push({ title, head, rows });
    console.log(`\n${title}\n`);
    console.log(print(lines[0]));
    console.log(`| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
    lines.slice(1).forEach((row) => console.log(print(row)));
}

// ---- what is measured ----

// An installation with people who are signed in; resolves to their cookies.
async function install() {
    const user = spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim();
    writeFileSync(config, `
[state]
directory = ${folder}/state
run_directory = ${runFolder}
user = ${user}
[session]
secure_cookie = no
store = ${store}
[workers]
gate = ${gateWorkers}
login = ${cores}
[log]
level = warning
`);
    await run(program('bin/latchkey'), ['init'], configured);
    const cookies = (await run(program('bench/seed'), [sessions, password], configured)).trim();
    return cookies.split('\n').filter((line) => /^[\w-]{104,}$/.test(line));
}

async function startGate() {
    const service = keep(new Service(program('bin/latchkey'), ['serve'], configured));
    await until('the sockets', () => {
        if (!service.isRunning) throw new Error(`serve ended:\n${service.output}`);
        return ['login', 'logout', 'account', 'gate'].every((name) =>
            existsSync(path.join(runFolder, `${name}.sock`)));
    });
    return service;
}

async function startNull() {
    const socket = path.join(makeFolder(path.join(folder, 'null')), 'gate.sock');
    const service = keep(new Service(program('bench/null_responder'), [socket, gateWorkers]));
    await until('the null responder', () => existsSync(socket));
    return service;
}

async function startServers(name) {
    const start = async (contender, sockets) => keep(await servers[name](
        makeFolder(path.join(folder, `${name}-${contender}`)), sockets, cores));
    return {
        reference: await start('reference', path.join(folder, 'null')),
        gate: await start('gate', runFolder),
    };
}

// A fast wrong answer is not fast: the gate must let the cookies in, and nobody else.
async function tryDoor(port, cookie) {
    const ask = async (headers) => (await request(port, page, { headers: { accept: '*/*', ...headers } })).status;
    const seen = [await ask({}), await ask({ cookie: `${cookie}x` }), await ask({ cookie })];
    if (seen.join() !== '401,401,200') throw new Error(`the gate answers ${seen.join()}`);
}

function writeList(name, lines) {
    const file = path.join(folder, name);
    writeFileSync(file, lines.map((line) => `${line.join('\t')}\n`).join(''));
    return file;
}

// ---- the measurements ----

async function measureChecks(name, list, pids) {
    const both = await startServers(name);
    await tryDoor(both.gate.port, list.first);
    const measure = (contender) => async () => {
        const before = cpuTime(pids[contender]);
        const result = await load({ port: both[contender].port, target: page, list: list.file, seconds, connections });
        return { ...result, cpu: (cpuTime(pids[contender]) - before) / result.requests };
    };
    await measure('gate')(); // the first one finds cold caches
    const results = await interleave(rounds, { reference: measure('reference'), gate: measure('gate') });
    const column = (contender, key) => results[contender].map((result) => result[key]);
    const rows = ['reference', 'gate'].map((contender) => [
        contender, spread(column(contender, 'perSecond')),
        ratio(column(contender, 'perSecond'), column('reference', 'perSecond')).toFixed(2),
        spread(column(contender, 'p50_us').map((us) => us / 1000), 2),
        spread(column(contender, 'p99_us').map((us) => us / 1000), 2),
        spread(column(contender, 'cpu'), 1),
    ]);
    table(`Checks behind ${name}, ${sessions} sessions, ${store} store, ${connections} connections`,
        ['', 'per second', 'ratio', 'p50 ms', 'p99 ms', 'processor us each'], rows);
    return { both, checks: column('gate', 'requests').reduce((sum, n) => sum + n, 0) };
}

async function makeSignIns(port) {
    const form = await request(port, '/auth/login');
    const cookie = form.cookies[0].split(';')[0];
    const { csrf } = formFields(form.body);
    const body = (i) => encodeForm({ username: `person${i}`, password, csrf });
    const answer = await request(port, '/auth/login', { method: 'POST', body: body(0),
        headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' } });
    if (answer.status !== 303) throw new Error(`a sign-in is answered with ${answer.status}`);
    return writeList('sign-ins', Array.from({ length: Math.min(sessions, 1000) }, (_, i) => ['POST', cookie, body(i)]));
}

async function measureSignIns(port, signIns) {
    const signIn = () => load({ port, target: '/auth/login', list: signIns, seconds, connections: 2 * cores });
    await signIn();
    const results = await interleave(rounds, {
        hash: async () => Number(await run(program('bench/hash_rate'), [cores, seconds], configured)),
        signIn: async () => (await signIn()).perSecond,
    });
    table(`Sign-ins, argon2id of 19 MiB and 2 passes, ${cores} processors`, ['', 'per second', 'ratio'], [
        ['bare hash', spread(results.hash, 1), '1.00'],
        ['sign-in', spread(results.signIn, 1), ratio(results.signIn, results.hash).toFixed(2)],
    ]);
}

async function measureFlood(port, list, signIns) {
    const check = () => load({ port, target: page, list: list.file, seconds, connections: 1 });
    const results = await interleave(rounds, {
        quiet: check,
        flooded: async () => {
            const flood = load({ port, target: '/auth/login', list: signIns, seconds: seconds + 1, connections: 4 * cores });
            await sleep(500);
            const result = await check();
            await flood;
            return result;
        },
    });
    const column = (name, key) => results[name].map((result) => result[key] / 1000);
    table('Checks on one connection while sign-ins are flooded', ['', 'p50 ms', 'p99 ms', 'ratio of p99'],
        ['quiet', 'flooded'].map((name) => [name, spread(column(name, 'p50_us'), 2),
            spread(column(name, 'p99_us'), 2), ratio(column(name, 'p99_us'), column('quiet', 'p99_us')).toFixed(2)]));
}

async function measureStart(cookie) {
    const env = {
        PATH: '/usr/bin:/bin', LATCHKEY_CONFIG: config, GATEWAY_INTERFACE: 'CGI/1.1',
        SERVER_PROTOCOL: 'HTTP/1.1', REQUEST_METHOD: 'GET', REQUEST_URI: page, SERVER_NAME: 'localhost',
        REMOTE_ADDR: '127.0.0.1', HTTP_COOKIE: cookie,
    };
    const time = async (name) => (await run(program('bench/start_time'), [200, program(name)], { env }))
        .trim().split(' ').map((us) => Number(us) / 1000);
    const results = await interleave(rounds, { empty: () => time('bench/empty'), gate: () => time('cgi-bin/gate') });
    const row = (title, times) => [title, ...[0, 1].map((i) => spread(times.map((time) => time[i]), 2))];
    table('One check as a plain CGI process', ['', 'start to end, ms', 'processor ms'],
        [row('empty program', results.empty), row('gate', results.gate)]);
}

function printMachine() {
    const version = (command, args) => {
        const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/bin' } });
        return `${stdout}${stderr}`.split('\n')[0].trim();
    };
    console.log(`${os.cpus()[0].model.trim()}, ${cores} processors, Linux ${os.release()}, ` +
        `load ${os.loadavg()[0].toFixed(1)} at the beginning`);
    console.log([version('nginx', ['-v']), version('lighttpd', ['-v']).replace(/ - .*/, ''),
        version('wrk', ['-v']).replace(/ \[.*/, '')].join('; '));
    console.log(`${rounds} rounds of ${seconds} s each; medians, with the least and the greatest`);
}

async function main() {
    printMachine();
    const cookies = (await install()).map((value) => `latchkey=${value}`);
    const list = { file: writeList('checks', cookies.map((cookie) => ['GET', cookie, ''])), first: cookies[0] };
    const gate = await startGate();
    const reference = await startNull();
    await sleep(500);
    const everything = family(gate.pid);
    const idle = memory(everything);
    const pids = {
        gate: everything.filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'gate\n'),
        reference: family(reference.pid),
    };

    const { both, checks } = await measureChecks('nginx', list, pids);
    const checked = memory(everything);
    const { checks: more } = await measureChecks('lighttpd', list, pids);
    const checkedMore = memory(everything);
    const signIns = await makeSignIns(both.gate.port);
    await measureSignIns(both.gate.port, signIns);
    await measureFlood(both.gate.port, list, signIns);
    await measureStart(cookies[0]);
    const print = (value) => (value === undefined ? 'only root can tell' : value.toFixed(1));
    table(`Memory of all ${everything.length} processes (sum of PSS)`, ['', 'MB'], [
        ['idle', print(idle)], [`after ${checks} checks`, print(checked)],
        [`after ${checks + more} checks`, print(checkedMore)], ['after the sign-ins', print(memory(family(gate.pid)))],
    ]);
    writeFileSync(program('bench.json'), `${JSON.stringify(tables, null, 2)}\n`);
}

try {
    await main();
} finally {
    await Promise.all(services.map((service) => service.stop()));
    rmSync(folder, { recursive: true, force: true });
}
