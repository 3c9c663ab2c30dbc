// Memory of all programs: idle, and whether it grows with what they do.
import { setTimeout as sleep } from 'node:timers/promises';
import { load, memory } from './measure.mjs';
import { grouped, spread } from './numbers.mjs';
import { page, startServer } from './servers.mjs';
import { limits } from './verdict.mjs';

const settle_ms = 1000;
const startsMax = 3;
const warmChecks = 500; // of each worker: all that a worker allocates once is there then

// Sends at least `count` checks; resolves to how many it were.
async function check(port, installation, settings, count) {
    let sent = 0;
    for (let seconds = 1; sent < count; seconds = 10) {
        sent += (await load({ port, target: page, list: installation.list, ...settings, seconds })).requests;
    }
    return sent;
}

export async function measureMemory({ scratch, settings, report }, installation) {
    const idle = [];
    for (let i = 0; i < Math.min(settings.rounds, startsMax); i++) {
        await installation.stop();
        await installation.serve();
        await sleep(settle_ms);
        idle.push(memory(installation.pids));
    }
    if (idle[0] === undefined) {
        report.say('Memory: only root can tell');
        return;
    }
    const server = await startServer('nginx', scratch, installation.runFolder, settings);
    const look = async () => {
        await sleep(settle_ms);
        return memory(installation.pids);
    };
    await check(server.port, installation, settings, warmChecks * settings.gateWorkers);
    const warm = await look();
    const checks = await check(server.port, installation, settings, settings.checks);
    const after = await look();
    await scratch.stop(server);
    report.table(`Memory of all ${installation.pids.length} processes (sum of PSS), ${installation.store} store`,
        ['', 'MB'],
        [['idle', spread(idle, 1)], ['after some checks', warm.toFixed(2)],
            [`after ${grouped(checks)} more`, after.toFixed(2)]]);
    report.add({ name: `memory, idle: ${installation.store} store`, limit: limits.idle, values: idle });
    report.add({ name: `memory, growth with ${grouped(settings.checks)} checks: ${installation.store} store`,
        limit: limits.growth, values: [after - warm] });
}
