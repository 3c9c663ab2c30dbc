// Memory and descriptors of an installation over time, and whether they grow.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { memory } from '../bench/measure.mjs';
import { findAll } from '../web/support/processes.mjs';

const hashing_MB = 3; // a process of more is hashing a password, which takes 19, or has begun to

// One look: the sum of PSS in MB, and of descriptors. Undefined while processes come and go, or hash.
function look(at) {
    try {
        const pids = findAll(at.install);
        const names = pids.map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
        const descriptors = pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length);
        const each = pids.map((pid) => memory([pid]));
        if (pids.length !== at.processes || names.some((name) => !name) || each.some((one) => one > hashing_MB)) return undefined;
        const sum = (list) => list.reduce((a, b) => a + b, 0);
        return {
            time: Date.now(), memory: sum(each), descriptors: sum(descriptors),
            processes: new Map(pids.map((pid, i) => [pid, { name: names[i], memory: each[i], descriptors: descriptors[i] }])),
        };
    } catch {
        return undefined;
    }
}

// The first of several looks that tells something.
const looks = 100;
const apart_ms = 50;

export async function sample(at, every_ms) {
    while (!at.isOver) {
        let seen;
        for (let i = 0; i < looks && !seen && !at.isOver; i++, await sleep(apart_ms)) seen = look(at);
        if (seen) at.samples.push(seen);
        await sleep(every_ms);
    }
}

// The slope of the least squares, per hour.
export function slope(samples, name) {
    const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
    const hours = samples.map(({ time }) => (time - samples[0].time) / 3600000);
    const values = samples.map((one) => one[name]);
    const [x, y] = [mean(hours), mean(values)];
    const below = hours.reduce((sum, hour) => sum + (hour - x) ** 2, 0);
    return { mean: y, perHour: hours.reduce((sum, hour, i) => sum + (hour - x) * (values[i] - y), 0) / below };
}

// What grew in the last half: { memory, descriptors } with the mean and what was added in that time.
export function growth(samples, name) {
    const half = samples.slice(Math.floor(samples.length / 2));
    if (half.length < 5) throw new Error('too few looks at memory for a verdict');
    const { mean, perHour } = slope(half, name);
    return { mean, perHour, added: perHour * (half.at(-1).time - half[0].time) / 3600000 };
}

// What was added, from the first to the last look of that half, to each process that lived all through it.
export function whoGrew(samples) {
    const [first, last] = [samples[Math.floor(samples.length / 2)], samples.at(-1)].map(({ processes }) => processes);
    return [...last].filter(([pid]) => first.has(pid)).map(([pid, { name, memory: pss, descriptors }]) =>
        `${name} ${(pss - first.get(pid).memory).toFixed(2)} MB, ${descriptors - first.get(pid).descriptors}`).join('; ');
}
