// Measuring: load from wrk, what /proc knows of processes, and rounds in turns.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const here = path.dirname(new URL(import.meta.url).pathname);
const running = new Set();

// Runs a command to its end; resolves to its two outputs together. `stopWhen` is a promise: when it
// is kept, the command is told to come to an end.
export function run(command, args, { stopWhen, ...options } = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
        running.add(child);
        let output = '';
        for (const stream of [child.stdout, child.stderr]) {
            stream?.setEncoding('utf8').on('data', (text) => { output += text; });
        }
        stopWhen?.then(() => child.kill('SIGINT'), () => child.kill('SIGINT'));
        child.on('error', reject);
        child.on('close', (status) => {
            running.delete(child);
            if (status === 0) resolve(output);
            else reject(new Error(`${command} ${args.join(' ')}: ${status}\n${output.slice(-2000)}`));
        });
    });
}

// Ends what `run` has begun and not seen the end of.
export function stopCommands() {
    for (const child of running) child.kill('SIGKILL');
}

// Sends requests of a list for some seconds, or until `stopWhen` is kept. A single one that fails
// spoils the measurement. Resolves to { requests, seconds, perSecond, p50_us, p99_us, max_us }.
export async function load({ port, target, list, seconds, connections, stopWhen }) {
    const output = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', 'requests.lua',
        `http://127.0.0.1:${port}${target}`, '--', list], { cwd: here, stopWhen });
    const result = JSON.parse(/^\{.*\}$/m.exec(output)[0]);
    if (result.failed > 0) throw new Error(`${result.failed} requests to ${target} failed`);
    if (result.requests === 0) throw new Error(`no request to ${target} was answered in ${seconds} s`);
    return { ...result, perSecond: result.requests / result.seconds };
}

// For `load`, before what counts: whoever is asked first finds cold caches.
export const warmUp = { seconds: 1, connections: 16 };

function readParent(pid) {
    try {
        return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1]);
    } catch {
        return undefined; // it has just ended
    }
}

// A process and all that descend from it.
export function family(pid) {
    const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
        .map((name) => [Number(name), readParent(name)]);
    const members = [pid];
    for (const member of members) {
        members.push(...parents.filter(([, parent]) => parent === member).map(([child]) => child));
    }
    return members;
}

// Those of them that run the program of that name.
export const named = (pids, name) => pids.filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === `${name}\n`);

// Processor time that processes (of one thread each) have used, in microseconds.
export function cpuTime(pids) {
    return pids.reduce((sum, pid) => sum + Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]), 0) / 1000;
}

// Their memory, shared pages counted in shares, in megabytes; undefined when only root may look.
export function memory(pids) {
    try {
        return pids.reduce((sum, pid) => sum + Number(
            /^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]), 0) / 1024;
    } catch (error) {
        if (error.code === 'EACCES' || error.code === 'EPERM') return undefined;
        throw error;
    }
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
