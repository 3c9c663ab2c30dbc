// Mixed traffic for a long time, on all stores at once behind both web servers, while processes are
// killed, configurations change, secrets are rotated and what is over is removed; for `make soak`.
// Every answer is judged. Ends with 1 when one was wrong, when a user saw an error that no killed
// process accounts for, when memory or descriptors grow, or when a log holds what it should not.
//
// From the environment: SECONDS (3600), PEOPLE (visitors of each store, 4), KEEP=1 puts the figures
// into docs/soak.md. BUILD names the build folder.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeMachine, keep } from '../bench/kept.mjs';
import { grouped } from '../bench/numbers.mjs';
import { describe, formatTable } from '../bench/report.mjs';
import { Install, Service, plainExamples, plainLatchkey } from '../web/support/install.mjs';
import { countAll } from '../web/support/processes.mjs';
import { servers } from '../web/support/servers.mjs';
import { settingsFor, stores } from '../web/support/stores.mjs';
import { disturb } from './disturber.mjs';
import { Resident, Suspect, Visitor } from './people.mjs';
import { growth, sample, whoGrew } from './samples.mjs';
import { unexpected } from './words.mjs';

const seconds = Number(process.env.SECONDS || 3600);
const people = Number(process.env.PEOPLE || 4);
const workers = { login: 3, logout: 2, account: 3, gate: 4 };
// What is kept ends within a quarter of an hour, so that in the last half as much is removed as is added.
const settings = {
    workers, throttle: { attempts: 1000000, window: '5m' }, password: { memory: '19M', passes: 2 },
    session: { idle: '5m', lifetime: '10m', remember: '15m' }, log: { keep: '10m' },
};
// That may be added in the last half; a worker that took another one's place opens the database when it
// needs it, so that their descriptors come and go.
const limits = { memory_MB: 1, descriptors: 10 };

const cart = path.join(plainExamples, 'cart');

// lighttpd runs the example that keeps a cart in the session.
const withCart = (install) => `
fastcgi.server += ( "/cart" => ((
    "bin-path" => "${cart}", "socket" => "${install.run}/cart", "max-procs" => 2, "check-local" => "disable",
    "bin-environment" => ( "LATCHKEY_CONFIG" => "${install.config}" )
)))
`;

async function make(store) {
    const at = {
        store, settings: settingsFor(store, settings), webs: [], kills: [], changes: [], samples: [], turn: 0, rotations: 0,
        pause_ms: 400, isOver: false, processes: countAll(workers),
        count: { requests: 0, judged: 0, doings: 0, waits_ms: [], lost: [], kills: {}, failures: [] },
    };
    at.install = new Install(at.settings, plainLatchkey).init();
    at.users = Array.from({ length: people + 2 }, (_, i) => ({ name: `${store}${i}`, password: `the long sentence number ${i}` }));
    for (const user of at.users) at.install.addUser(user);
    at.command = async (...words) => {
        const service = new Service(plainLatchkey, words, { env: at.install.env });
        return { status: await service.ended, output: service.output };
    };
    await at.install.serve();
    for (const server of servers) {
        const web = await server.start(at.install, { extra: withCart(at.install) });
        at.webs.push(Object.assign(web, { name: server.name }));
    }
    return at;
}

function beginTraffic(at) {
    const [suspected, staying, ...coming] = at.users;
    const suspect = new Suspect(at, suspected);
    const resident = new Resident(at, staying);
    return [
        suspect.live(() => suspect.beSuspected()), resident.live(() => resident.stay()),
        ...coming.map((user) => new Visitor(at, user)).map((visitor) => visitor.live(() => visitor.visit())),
    ];
}

async function close(at) {
    for (const web of at.webs) await web.stop();
    const integrity = spawnSync('sqlite3', [path.join(at.install.state, 'latchkey.db'), 'PRAGMA integrity_check'], { encoding: 'utf8' });
    if (integrity.stdout !== 'ok\n') at.count.failures.push(`${at.store}: the database: ${integrity.stdout}${integrity.stderr}`);
    at.audit = (await at.command('audit', 'verify')).status === 0;
    if (!at.audit) at.count.failures.push(`${at.store}: the audit log does not verify`);
    at.strange = unexpected(at);
    const status = await at.install.close();
    if (status !== 0) at.count.failures.push(`${at.store}: serve ended with ${status}`);
}

const percentile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

const sum = (object) => Object.values(object).reduce((a, b) => a + b, 0);

// "502: 3, closed: 1" of those that are lost behind one web server.
function tell(lost) {
    const counts = {};
    for (const { shown } of lost) counts[shown] = (counts[shown] ?? 0) + 1;
    return Object.entries(counts).map(([shown, count]) => `${shown}: ${count}`).join(', ') || 'none';
}

function columnOf(at) {
    const { count } = at;
    const waits = count.waits_ms.sort((a, b) => a - b);
    const [pss, descriptors] = ['memory', 'descriptors'].map((name) => growth(at.samples, name));
    const signed = (number, digits) => `${number < 0 ? '' : '+'}${number.toFixed(digits)}`;
    const lostAt = (name) => count.lost.filter(({ web }) => web === name);
    at.grows = pss.added > limits.memory_MB || descriptors.added > limits.descriptors;
    return [
        ['requests', grouped(count.requests)],
        ['verdicts of the model', grouped(count.judged)],
        ['wrong answers, and errors without a killed process', count.failures.length],
        ['workers and porters killed', sum(count.kills) - (count.kills.program ?? 0)],
        ['programs killed (all workers of one)', count.kills.program ?? 0],
        ['requests that a killed process had, behind nginx', tell(lostAt('nginx'))],
        ['the same behind lighttpd', tell(lostAt('lighttpd'))],
        ['configurations taken over', at.changes.length],
        ['secrets rotated', at.rotations],
        ['answer, median, in ms', percentile(waits, 0.5)],
        ['answer, 99th percentile, in ms', percentile(waits, 0.99)],
        ['slowest answer, in ms', waits.at(-1)],
        ['looks at memory', at.samples.length],
        ['memory of all processes (PSS), mean of the last half, in MB', pss.mean.toFixed(1)],
        ['added to it in that time, by regression, in MB', signed(pss.added, 2)],
        ['descriptors of all processes, mean of the last half', descriptors.mean.toFixed(1)],
        ['added to them in that time, by regression', signed(descriptors.added, 2)],
        ['lines of logs that nobody expects', at.strange.length],
    ];
}

async function report(all) {
    const columns = all.map(columnOf);
    const table = {
        title: `${grouped(seconds)} seconds, ${people + 2} people in each store`, head: ['', ...all.map(({ store }) => store)],
        rows: columns[0].map(([name], i) => [name, ...columns.map((column) => column[i][1])]),
    };
    console.log(`\n${formatTable(table.head, table.rows)}\n`);
    const said = all.flatMap(({ count, strange }) => [...count.failures, ...strange.flatMap(({ line, near }) => [line, ...near.map((one) => `    near it: ${one}`)])]);
    for (const line of said.slice(0, 40)) console.log(line);
    if (said.length > 40) console.log(`and ${said.length - 40} more`);
    for (const { store, samples } of all.filter(({ grows }) => grows)) console.log(`${store}: memory or descriptors grow: ${whoGrew(samples)}`);
    if (process.env.KEEP) keep('soak', describeMachine(describe()), [table], true, 'soak.md');
    return said.length === 0 && !all.some(({ grows }) => grows);
}

async function run() {
    const all = await Promise.all(stores.map(make));
    const ended = all.flatMap((at) => [...beginTraffic(at), disturb(at, seconds), sample(at, Math.max(500, seconds * 3))]);
    const stop = () => { for (const at of all) at.isOver = true; };
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
    const end = Date.now() + seconds * 1000;
    for (let next = Date.now(); Date.now() < end && !all[0].isOver; await sleep(500)) {
        if (Date.now() < next) continue;
        next += Math.max(10000, seconds * 1000 / 30);
        const failures = all.reduce((n, { count }) => n + count.failures.length, 0);
        const requests = all.reduce((n, { count }) => n + count.requests, 0);
        console.log(`${Math.round((end - Date.now()) / 1000)} s left: ${grouped(requests)} requests, ${failures} failures`);
    }
    stop();
    await Promise.all(ended);
    for (const at of all) await close(at);
    return report(all);
}

process.exitCode = (await run()) ? 0 : 1;
