// Checks: what the gate answers in a second, beside the null responder.
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../web/support/http.mjs';
import { startNull } from './installation.mjs';
import { cpuTime, family, interleave, load, warmUp } from './measure.mjs';
import { grouped, median, ratios, spread } from './numbers.mjs';
import { page, startServer } from './servers.mjs';
import { Traffic } from './traffic.mjs';
import { limits } from './verdict.mjs';

// A fast wrong answer is not fast: the gate must let the cookies in, and nobody else.
export async function tryDoor(port, cookie) {
    const ask = async (headers) => (await request(port, page, { headers: { accept: '*/*', ...headers } })).status;
    const seen = [await ask({}), await ask({ cookie: `${cookie}x` }), await ask({ cookie })];
    if (seen.join() !== '401,401,200') throw new Error(`the gate answers ${seen.join()}`);
}

// Resolves to { name: {port, pids} } of the same web server before the null responder and the gate.
export async function startBoth({ scratch, settings }, installation, server) {
    await installation.serve();
    const nothing = await startNull(scratch, settings.gateWorkers);
    const sockets = installation.makeSockets(`null-${nothing.pid}`, { gate: nothing.socket });
    const before = {
        reference: await startServer(server, scratch, sockets, settings),
        gate: await startServer(server, scratch, installation.runFolder, settings),
    };
    await tryDoor(before.gate.port, installation.cookie);
    await sleep(300); // what starts behind its socket
    return {
        reference: { port: before.reference.port, pids: family(nothing.pid) },
        gate: { port: before.gate.port, pids: installation.gatePids },
        stop: () => scratch.stop(nothing, before.reference, before.gate),
    };
}

// One measurement of one of both, with the processor time of each check.
export async function measureOne({ settings }, { port, pids }, list, perSecond = 0) {
    const traffic = perSecond > 0 ? new Traffic(port, perSecond) : undefined;
    await traffic?.start();
    const before = cpuTime(pids);
    const result = await load({ port, target: page, list, ...settings });
    const cpu = (cpuTime(pids) - before) / result.requests;
    return { ...result, cpu, signIns: await traffic?.stop() };
}

function printTable(report, title, results, withTraffic) {
    const column = (name, key) => results[name].map((result) => result[key]);
    const ms = (name, key) => spread(column(name, key).map((us) => us / 1000), 2);
    report.table(title,
        ['', 'per second', 'ratio', 'p50 ms', 'p99 ms', 'slowest ms', 'processor us each',
            ...(withTraffic ? ['sign-ins/s'] : [])],
        ['reference', 'gate'].map((name) => [
            name, spread(column(name, 'perSecond')),
            median(ratios(column(name, 'perSecond'), column('reference', 'perSecond'))).toFixed(2),
            ms(name, 'p50_us'), ms(name, 'p99_us'), ms(name, 'max_us'), spread(column(name, 'cpu'), 1),
            ...(withTraffic ? [spread(column(name, 'signIns'))] : []),
        ]));
}

// `limit`: of `limits`, what the ratio has to be; `perSecond`: how many sign-ins go on meanwhile.
export async function measureChecks(bench, installation, server, limit, perSecond = 0) {
    const { settings, report } = bench;
    const both = await startBoth(bench, installation, server);
    const { list } = installation;
    const measure = (name) => () => {
        installation.readThrough();
        return measureOne(bench, both[name], list, perSecond);
    };
    for (const name of ['reference', 'gate']) await load({ ...warmUp, port: both[name].port, target: page, list });
    const results = await interleave(settings.rounds, { reference: measure('reference'), gate: measure('gate') });
    await both.stop();
    const what = `${server}, ${installation.store} store, ${grouped(installation.sessions)} sessions` +
        (perSecond > 0 ? `, ${perSecond} sign-ins and sign-outs a second` : '');
    printTable(report, `Checks: ${what}`, results, perSecond > 0);
    const column = (name, key) => results[name].map((result) => result[key]);
    report.add({ name: `checks: ${what}`, limit: limits[limit],
        values: column('gate', 'perSecond'), reference: column('reference', 'perSecond') });
    report.add({ name: `p99 of checks: ${what}`, limit: limits.p99,
        values: column('gate', 'p99_us'), reference: column('reference', 'p99_us') });
}
