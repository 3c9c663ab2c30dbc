// A file system of a few megabytes in a folder's place, which a test fills up. Only root may mount one.
import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

const page = 4096;

export const needsRoot = process.getuid() !== 0 && 'needs root';

export class SmallDisk {
    // `why`: the reason when nothing can be mounted here.
    constructor(folder, { size, mode = 0o755 }) {
        this.folder = folder;
        mkdirSync(folder, { recursive: true, mode });
        const options = `size=${size},mode=${mode.toString(8)}`;
        const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'latchkey-test', folder], { encoding: 'utf8' });
        this.why = mounted.status === 0 ? undefined : `nothing can be mounted here: ${mounted.stderr ?? mounted.error}`;
        if (!this.why) chmodSync(folder, mode);
    }

    // Leaves room for so many pages of 4 KiB and no more.
    fill(pages = 0) {
        const file = openSync(path.join(this.folder, 'rest'), 'w');
        let length = 0;
        try {
            for (;;) length += writeSync(file, Buffer.alloc(page));
        } catch (error) {
            if (error.code !== 'ENOSPC') throw error;
        }
        ftruncateSync(file, Math.max(0, length - pages * page));
        closeSync(file);
    }

    makeRoom() {
        rmSync(path.join(this.folder, 'rest'), { force: true });
    }

    close() {
        if (!this.why) spawnSync('umount', ['-l', this.folder]);
    }
}
