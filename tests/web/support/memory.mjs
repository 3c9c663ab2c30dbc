// What stands in the memory of running processes.
import { hkdfSync } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';

const chunkBytes = 4 << 20;

// The parts that a process may have written into: heap, stacks, data, anonymous and shared memory, whatever may be
// done with them now. What is a file's and cannot be written stays out, and so do the kernel's own pages.
function writableParts(pid) {
    return readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').flatMap((line) => {
        const [, begin, end, rights, name] = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
        const isOfFile = name?.startsWith('/') && rights[1] !== 'w';
        return begin === undefined || isOfFile || /^\[v/.test(name) ? []
            : [{ begin: parseInt(begin, 16), end: parseInt(end, 16), name: name || 'anonymous' }];
    });
}

// Calls `look(bytes, place, name)` for every piece of a process' memory that is not all zeros. Pieces overlap by
// `overlap` bytes. A process that ended meanwhile has none.
export function readMemory(pid, overlap, look) {
    let memory;
    try {
        memory = openSync(`/proc/${pid}/mem`, 'r');
    } catch (error) {
        if (error.code === 'ENOENT') return;
        throw error;
    }
    try {
        for (const { begin, end, name } of writableParts(pid)) {
            for (let at = begin; at < end; at += chunkBytes) {
                const bytes = Buffer.alloc(Math.min(chunkBytes + overlap, end - at));
                try {
                    readSync(memory, bytes, 0, bytes.length, at);
                } catch {
                    continue; // guard pages, or it was unmapped meanwhile
                }
                look(bytes, at, name);
            }
        }
    } finally {
        closeSync(memory);
    }
}

// Needles for whatever is left of a secret: every run of `length` bytes that begins at a multiple of `step`.
export function pieces(what, secret, { length = 12, step = 8 } = {}) {
    const bytes = Buffer.from(secret);
    const needles = [];
    for (let at = 0; at + length <= bytes.length; at += step) needles.push({ what, bytes: bytes.subarray(at, at + length) });
    return needles;
}

// The newest secret of an installation, as its file has it and as bytes; and, as needles, the keys that programs make
// of it (src/crypto/keyring.c).
export function readSecret(install) {
    const text = readFileSync(path.join(install.state, 'secret'), 'utf8').split('\n')[0].split(' ')[1];
    const bytes = Buffer.from(text, 'base64url');
    const keys = ['token', 'csrf', 'seal', 'audit', 'throttle'].map((what) =>
        ({ what, bytes: Buffer.from(hkdfSync('sha256', bytes, '', `latchkey 1 ${what}`, 32)) }));
    return { text, bytes, keys };
}

// Finds many needles, { what, bytes } of at least four bytes, in one pass: two filters of two bytes each say of nearly
// every place that no needle begins there.
class Finder {
    constructor(needles) {
        this.first = new Uint8Array(1 << 16);
        this.second = new Uint8Array(1 << 16);
        this.byStart = new Map();
        this.longest = 0;
        for (const needle of needles) {
            const start = needle.bytes.readUInt32LE(0);
            this.first[start & 0xffff] = 1;
            this.second[start >>> 16] = 1;
            this.byStart.set(start, [...this.byStart.get(start) ?? [], needle]);
            this.longest = Math.max(this.longest, needle.bytes.length);
        }
    }

    // Calls `report(needle, at)` for each that is found.
    look(bytes, report) {
        const { first, second } = this;
        for (let at = 0; at + 4 <= bytes.length; at++) {
            if (first[bytes[at] | bytes[at + 1] << 8] === 0 || second[bytes[at + 2] | bytes[at + 3] << 8] === 0) continue;
            for (const needle of this.byStart.get(bytes.readUInt32LE(at)) ?? []) {
                if (needle.bytes.compare(bytes, at, at + needle.bytes.length) === 0) report(needle, at);
            }
        }
    }
}

// Where each of the needles, { what, bytes }, is found in a process: [{ what, bytes, place, name, around }], with the
// address as a number, the name of the mapping, and what stands around it.
export function findInMemory(pid, needles) {
    const finder = new Finder(needles);
    const found = [];
    readMemory(pid, finder.longest - 1, (bytes, place, name) => finder.look(bytes, ({ what, bytes: needle }, at) => {
        const around = bytes.toString('latin1', Math.max(at - 60, 0), at + 100).replace(/[^ -~]+/g, '·');
        found.push({ what, bytes: needle, place: place + at, name, around });
    }));
    return found;
}

// The flags that the kernel has for the mapping of an address (proc(5), VmFlags in smaps).
export function flagsAt(pid, place) {
    let isThere = false;
    for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
        const [, begin, end] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line) ?? [];
        if (begin !== undefined) isThere = parseInt(begin, 16) <= place && place < parseInt(end, 16);
        else if (isThere && line.startsWith('VmFlags:')) return line.split(/\s+/).slice(1).filter(Boolean);
    }
    return [];
}
