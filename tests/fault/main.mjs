// `make fault-calls`: everything fails, one after the other, then two at a time at random. Of sanitized
// programs a sample fails.
// Usage: main.mjs [--seed N] [--random N] [--only PATTERN] [--build plain|sanitized] [--store NAME]
//     [--sample N]: instead of all faults of a scenario, so many
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { stores } from '../web/support/stores.mjs';
import { cgiScenarios } from './cgi.mjs';
import { commandScenarios } from './commands.mjs';
import { Report } from './report.mjs';
import { requestScenarios } from './requests.mjs';
import { Sweep, pickFault, randomFrom } from './sweep.mjs';
import { World } from './world.mjs';

const { values } = parseArgs({
    options: {
        seed: { type: 'string' }, random: { type: 'string', default: '2000' }, only: { type: 'string', default: '.' },
        build: { type: 'string' }, store: { type: 'string' },
        sample: { type: 'string' },
    },
});
const seed = Number(values.seed ?? Date.now() % 1e9);
const sanitizedSample = 200; // faults of a scenario, for these programs are slow
const wanted = (scenario) => new RegExp(values.only).test(scenario.name);
const report = new Report({ print: console.log });
const folder = path.resolve(process.env.BUILD ?? 'build', 'fault');

// Of a program that stays: no more descriptors than before, and little more memory.
function compare(program, before, now) {
    for (const { pid, descriptors, kilobytes } of now) {
        const former = before.find((one) => one.pid === pid);
        if (former === undefined) continue;
        if (descriptors > former.descriptors + 2) throw new Error(`${program}: ${former.descriptors} descriptors became ${descriptors}`);
        if (kilobytes > former.kilobytes + 4096) throw new Error(`${program}: ${former.kilobytes} KB became ${kilobytes}`);
    }
}

async function sweepAll(world, scenarios) {
    const sweep = new Sweep(world, report);
    const random = randomFrom(seed);
    const counts = new Map();
    for (const scenario of scenarios.filter(wanted)) {
        const begin = Date.now();
        const before = sweep.cases;
        const calls = await sweep.count(scenario);
        counts.set(scenario, calls);
        const resources = scenario.isOneShot ? [] : world.measure(scenario.program);
        const times = values.sample ?? (world.build === 'sanitized' ? sanitizedSample : undefined);
        if (times) await sweep.sample(scenario, calls, scenario.withFrail ? 5 : Number(times), random);
        else for (const name of Object.keys(calls)) await sweep.sweep(scenario, name);
        if (scenario.program !== 'latchkey') await sweep.keepHouse();
        if (!scenario.isOneShot && world.build === 'plain') compare(scenario.program, resources, world.measure(scenario.program));
        console.log(`${world.build}, ${world.store}: ${scenario.name}: ${sweep.cases - before} cases, ${Math.round((Date.now() - begin) / 1000)} s`);
    }
    await tryAtRandom(sweep, counts, random);
}

async function tryAtRandom(sweep, counts, random) {
    const all = [...counts].filter(([scenario]) => !scenario.withFrail);
    for (let i = 0; i < Number(values.random) && all.length > 0; i++) {
        const [scenario, calls] = all[Math.floor(random() * all.length)];
        await sweep.run(scenario, [pickFault(random, scenario, calls), pickFault(random, scenario, calls)]);
        if (i % 200 === 199 && scenario.program !== 'latchkey') await sweep.keepHouse();
    }
}

async function attend(world, scenarios) {
    try {
        await sweepAll(world, scenarios);
    } catch (error) {
        report.fail({ world, scenario: { name: 'the sweep itself' }, faults: [], told: [], error, log: world.install.log.slice(-3000) });
    }
    const status = await world.close().catch((error) => error);
    if (![0, undefined].includes(status)) {
        report.fail({ world, scenario: { name: 'the end' }, faults: [], told: [], error: new Error(`ended with ${status}`), log: world.install.log.slice(-3000) });
    }
}

// Tasks of one processor each, so many at a time.
async function share(tasks, lanes) {
    const lane = async () => {
        for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) await task();
    };
    await Promise.all(Array.from({ length: lanes }, lane));
}

console.log(`seed ${seed}`);
const begin = Date.now();
const tasks = [];
for (const build of ['plain', 'sanitized'].filter((name) => [undefined, name].includes(values.build))) {
    for (const store of stores.filter((name) => [undefined, name].includes(values.store))) {
        tasks.push(async () => attend(await new World(store, build).start(), [...requestScenarios, ...cgiScenarios]));
    }
    tasks.push(async () => attend(new World('database', build), commandScenarios));
}
await share(tasks, 2);
mkdirSync(folder, { recursive: true });
writeFileSync(path.join(folder, 'table.tsv'), report.table());
console.log(report.summary());
for (const { text, times, stack, log } of report.failures.values()) {
    console.log(`\n${times} times: ${text}\n${stack}\n${log}`);
}
console.log(`${report.cases} cases, ${report.injected} faults, ${report.failures.size} ways to be wrong, seed ${seed}, ${Math.round((Date.now() - begin) / 1000)} s`);
process.exitCode = report.failures.size === 0 && report.injected > 0 ? 0 : 1;
