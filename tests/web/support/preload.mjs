// Small libraries that are loaded before the others of a program, to put something in a call's place.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './install.mjs';

// Makes such a library in a folder, of a source below the tree's top; its path.
export function makeLibrary(folder, source, ...libraries) {
    const made = path.join(folder, `${path.basename(source, '.c')}.so`);
    const { status, stderr, error } = spawnSync(process.env.CC ?? 'cc',
        ['-shared', '-fPIC', '-O1', '-o', made, path.join(root, source), ...libraries], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`cannot compile ${source}: ${stderr ?? error}`);
    return made;
}
