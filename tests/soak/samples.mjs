// Memory and descriptors of an installation over time, and whether they grow.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { memory } from '../bench/measure.mjs';
import { findAll } from '../web/support/processes.mjs';

// One look: the sum of PSS in MB, the sum of descriptors, the most that one process has. Undefined while
// processes come and go.
function look(at) {
    try {
        const pids = findAll(at.install);
        const names = pids.map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
        const descriptors = pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length);
        if (pids.length !== at.processes || names.some((name) => !name)) return undefined;
        return { time: Date.now(), memory: memory(pids), descriptors: descriptors.reduce((a, b) => a + b, 0), most: Math.max(...descriptors) };
    } catch {
        return undefined;
    }
}

// The least of several looks: a password that is being hashed takes its memory for that time only.
const looks = 6;
const apart_ms = 60;

export async function sample(at, every_ms) {
    while (!at.isOver) {
        const seen = [];
        for (let i = 0; i < looks; i++, await sleep(apart_ms)) seen.push(look(at));
        const least = seen.filter(Boolean).sort((a, b) => a.memory - b.memory)[0];
        if (least) at.samples.push(least);
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
