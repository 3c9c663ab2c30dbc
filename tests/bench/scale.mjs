// Checks with a thousand to ten million live sessions, for `make bench-scale`: prints a table, keeps it
// in docs/performance.md, draws docs/scaling.svg, and writes $BUILD/scale.json. Usage: scale.mjs;
// environment: ROUNDS, SECONDS, STORES, SESSIONS_MAX, as in README.md.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../web/support/install.mjs';
import { measureOne, tryDoor } from './checks.mjs';
import { Installation, makeAll, startNull } from './installation.mjs';
import { describeMachine, keep } from './kept.mjs';
import { family, interleave, load, warmUp } from './measure.mjs';
import { grouped, median, spread } from './numbers.mjs';
import { drawScaling } from './picture.mjs';
import { describe, Report } from './report.mjs';
import { program, runBench } from './scratch.mjs';
import { page, startServer } from './servers.mjs';
import { readSettings } from './settings.mjs';

const least = 1000;
const reference = 'null responder';
const picture = path.join(root, 'docs', 'scaling.svg');

// Resolves to { name: { port, pids, list } } of the null responder and the stores, which all run, each
// behind an nginx of its own, and `services` to stop.
async function startAll({ scratch, settings }, installations) {
    const nothing = await startNull(scratch, settings.gateWorkers);
    const sockets = installations[0].makeSockets(`null-${nothing.pid}`, { gate: nothing.socket });
    const server = await startServer('nginx', scratch, sockets, settings);
    const contenders = { [reference]: { port: server.port, pids: family(nothing.pid), list: installations[0].list } };
    for (const installation of installations) {
        await installation.serve({ alone: false });
        const { port } = await startServer('nginx', scratch, installation.runFolder, settings);
        await tryDoor(port, installation.cookie);
        contenders[installation.store] = { port, pids: installation.gatePids, list: installation.list };
    }
    await sleep(300); // what starts behind its socket
    return contenders;
}

// Resolves to { name: [result of each round] } with so many sessions in each store.
async function measureSize(bench, sessions) {
    const { scratch, settings } = bench;
    const installations = settings.stores.map((store) =>
        new Installation(scratch, settings, { name: `${store}-${sessions}`, store, sessions }));
    await makeAll(installations, settings.cores);
    const contenders = await startAll(bench, installations);
    for (const { port, list } of Object.values(contenders)) await load({ ...warmUp, port, target: page, list });
    const results = await interleave(settings.rounds, Object.fromEntries(Object.entries(contenders)
        .map(([name, one]) => [name, () => {
            for (const installation of installations) installation.readThrough();
            return measureOne(bench, one, one.list);
        }])));
    await scratch.stop(...scratch.services);
    for (const { folder } of installations) rmSync(folder, { recursive: true });
    return results;
}

// For the picture, { name: [{ x, median, least, greatest } of each size] } of one thing measured.
function seriesOf(points, key) {
    const names = Object.keys(points[0].results);
    return Object.fromEntries(names.map((name) => [name, points.map(({ sessions, results }) => {
        const values = results[name].map((result) => result[key]);
        return { x: sessions, median: median(values), least: Math.min(...values), greatest: Math.max(...values) };
    })]));
}

function tableOf(points, title, key, digits) {
    const names = Object.keys(points[0].results);
    return { title, head: ['live sessions', ...names],
        rows: points.map(({ sessions, results }) => [grouped(sessions),
            ...names.map((name) => spread(results[name].map((result) => result[key]), digits))]) };
}

runBench('bench-scale', async (scratch) => {
    const settings = readSettings(process.env, false);
    const report = new Report(settings);
    report.sayRounds();
    const points = [];
    for (let sessions = least; sessions <= settings.most; sessions *= 10) {
        report.say(`${grouped(sessions)} sessions in each store`);
        points.push({ sessions, results: await measureSize({ scratch, settings, report }, sessions) });
    }
    if (points.length < 2) throw new Error(`SESSIONS_MAX=${settings.most}: no picture of less than ${grouped(least * 10)}`);
    const tables = [
        tableOf(points, 'Checks per second', 'perSecond', 0),
        tableOf(points, 'Processor time of a check, microseconds', 'cpu', 1),
    ];
    for (const { title, head, rows } of tables) report.table(title, head, rows);
    report.write(program('scale.json'));
    const machine = describeMachine(describe());
    keep('scale', `${machine} ${settings.rounds} rounds of ${settings.seconds} s: the median, the least and the greatest.`, tables);
    writeFileSync(picture, drawScaling(reference, [
        { title: 'Checks per second', digits: 0, series: seriesOf(points, 'perSecond') },
        { title: 'Processor time of a check, µs', digits: 1, series: seriesOf(points, 'cpu') },
    ]));
    report.say(`drawn: ${path.relative(root, picture)}`);
    return 0;
});
