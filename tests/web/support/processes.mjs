// The processes of an installation, found by their parents.
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isAlive, latchkey } from './install.mjs';

// The processes started by `pid`, as { pid, name }; one that ended has none.
export function children(pid) {
    const read = (file) => {
        try {
            return readFileSync(file, 'utf8').trim();
        } catch {
            return undefined; // it ended meanwhile
        }
    };
    return (read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean)
        .map((child) => ({ pid: Number(child), name: read(`/proc/${child}/comm`) }))
        .filter(({ name }) => name !== undefined);
}

// The first process of a program that `latchkey serve` started.
export function findProgram(install, name) {
    return children(install.service.pid).find((child) => child.name === name)?.pid;
}

// A program that hashes has one process more than workers: the porter, who is its first.
const porters = { login: 1, account: 1 };
export const hasPorter = (name) => porters[name] !== undefined;
export const countProcesses = (name, workers) => workers + (porters[name] ?? 0);

// How many findAll finds, with these workers of all programs.
export const countAll = (workers) => Object.entries(workers)
    .reduce((sum, [name, count]) => sum + 1 + countProcesses(name, count), 1);

// The processes that answer requests: the porter, if there is one, and the workers.
export function findWorkers(install, name) {
    const program = findProgram(install, name);
    return program === undefined ? [] : children(program).map(({ pid }) => pid);
}

// `latchkey serve` and all below it.
export function findAll(install) {
    const below = (pid) => [pid, ...children(pid).flatMap((child) => below(child.pid))];
    return below(install.service.pid);
}

export function killAll(pids, signal = 'SIGKILL') {
    for (const pid of pids.filter(isAlive)) {
        try {
            process.kill(pid, signal);
        } catch {
            // ended in between
        }
    }
}

// A copy that any user may run, wherever the tree is; of another build with its `command`. Returns
// the path of the command.
export function copyPrograms(install, command = latchkey) {
    const prefix = install.makeFolder('prefix');
    cpSync(path.dirname(command), path.join(prefix, 'bin'), { recursive: true });
    cpSync(path.join(path.dirname(command), '../cgi-bin'), path.join(prefix, 'cgi-bin'), { recursive: true });
    return path.join(prefix, 'bin', path.basename(command));
}
