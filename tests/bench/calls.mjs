// System calls: what strace counts in processes while they answer.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Service, until } from '../web/support/install.mjs';

// Counts while `work` runs; resolves to { call: how many of it }. The processes are many times slower
// meanwhile, so it says how many and never how long.
export async function countCalls(scratch, pids, work) {
    const file = path.join(scratch.folder, 'calls');
    const service = scratch.keep(new Service('strace',
        ['-f', '-c', '-U', 'calls,name', '-o', file, ...pids.flatMap((pid) => ['-p', pid])]));
    await until('strace to look on', () => {
        if (!service.isRunning) throw new Error(`strace ended:\n${service.output}`);
        return service.output.match(/attached/g)?.length >= pids.length;
    });
    await work();
    scratch.services.delete(service);
    await service.stop('SIGINT');
    return readSummary(readFileSync(file, 'utf8'));
}

// Of lines "CALLS NAME" between two rules.
export function readSummary(text) {
    const counts = [...text.matchAll(/^ *(\d+) +(\w+)$/gm)].map(([, count, name]) => [name, Number(count)]);
    if (!counts.some(([name]) => name === 'total')) throw new Error(`strace counted nothing:\n${text}`);
    return Object.fromEntries(counts.filter(([name]) => name !== 'total'));
}
