// Measuring, and what is made of the numbers.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const here = path.dirname(new URL(import.meta.url).pathname);
const ticksPerSecond = 100; // USER_HZ, what /proc counts in

// Runs a command to its end; resolves to its two outputs together.
export function run(command, args, options = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
        let output = '';
        for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding('utf8').on('data', (text) => { output += text; });
        }
        child.on('error', reject);
        child.on('close', (status) => (status === 0 ? resolve(output)
            : reject(new Error(`${command} ${args.join(' ')}: ${status}\n${output.slice(-2000)}`))));
    });
}

// Sends requests of a list for some seconds. A single one that fails spoils the measurement.
export async function load({ port, target, list, seconds, connections }) {
    const output = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', 'requests.lua',
        `http://127.0.0.1:${port}${target}`, '--', list], { cwd: here });
    const result = JSON.parse(/^\{.*\}$/m.exec(output)[0]);
    if (result.failed > 0) throw new Error(`${result.failed} requests to ${target} failed`);
    return { ...result, perSecond: result.requests / result.seconds };
}

function readStat(pid) {
    try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
        return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
    } catch {
        return undefined; // it has just ended
    }
}

// A process and all that descend from it.
export function family(pid) {
    const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
        .map((name) => [Number(name), readStat(name)?.parent]);
    const members = [pid];
    for (const member of members) {
        members.push(...parents.filter(([, parent]) => parent === member).map(([child]) => child));
    }
    return members;
}

// Processor time that processes have used, in microseconds.
export function cpuTime(pids) {
    return pids.reduce((sum, pid) => sum + (readStat(pid)?.ticks ?? 0), 0) * 1e6 / ticksPerSecond;
}

// Their memory, shared pages counted in shares, in megabytes; undefined when only root may look.
export function memory(pids) {
    try {
        return pids.reduce((sum, pid) => sum + Number(
            /^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]), 0) / 1024;
    } catch {
        return undefined;
    }
}

export function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = Math.floor(sorted.length / 2);
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Runs the measurements of `contenders`, { name: function }, in turn, and in the other order every
// second time, so that whatever else happens on the machine meets all of them. Resolves to
// { name: [result of each round] }.
export async function interleave(rounds, contenders) {
    const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
        const names = Object.keys(contenders);
        for (const name of round % 2 === 0 ? names : names.reverse()) {
            results[name].push(await contenders[name]());
        }
    }
    return results;
}

// "12345 (12000 to 12900)".
export function spread(values, digits = 0) {
    const print = (value) => value.toFixed(digits);
    return `${print(median(values))} (${print(Math.min(...values))} to ${print(Math.max(...values))})`;
}

// The median of the ratios of each round.
export function ratio(values, references) {
    return median(values.map((value, i) => value / references[i]));
}
