// What programs did to files (recorder.c), and the disks that a power cut may leave of it.
//
// What was brought to the disk (fsync of the file; of the folder for names) is there. Of what was written
// since, any part may be there, in any order and torn between sectors; of names that were made and taken
// since, the first so many, for a journal keeps their order.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const head = 24; // struct record
const sector = 512;

export function readRecords(file) {
    const bytes = readFileSync(file);
    const records = [];
    for (let from = 0; from + head <= bytes.length;) {
        const [pathLen, otherLen, len] = [4, 8, 12].map((at) => bytes.readUInt32LE(from + at));
        let next = from + head;
        const take = (count) => bytes.subarray(next, next += count);
        records.push({
            kind: String.fromCharCode(bytes.readUInt32LE(from)), at: Number(bytes.readBigInt64LE(from + 16)),
            path: take(pathLen).toString(), other: take(otherLen).toString(), bytes: take(len), end: next,
        });
        from = next;
    }
    return records;
}

function apply(content, records) {
    let whole = Buffer.from(content);
    for (const { kind, at, bytes } of records) {
        const length = kind === 't' ? at : Math.max(whole.length, at + bytes.length);
        if (length !== whole.length) whole = Buffer.concat([whole.subarray(0, length), Buffer.alloc(Math.max(0, length - whole.length))]);
        if (kind === 'w') bytes.copy(whole, at);
    }
    return whole;
}

// The first sectors of a write.
function tear(record) {
    const end = Math.ceil((record.at + Math.floor(Math.random() * record.bytes.length)) / sector) * sector;
    return { ...record, bytes: record.bytes.subarray(0, Math.max(0, end - record.at)) };
}

const below = (count) => Math.floor(Math.random() * (count + 1));

// What is left of writes that were not brought to the disk.
const losses = {
    all: () => [],
    none: (list) => list,
    'the last ones': (list) => list.slice(0, below(list.length)),
    'the last ones, the first of them torn': (list) => {
        const count = below(list.length);
        const torn = list[count];
        return [...list.slice(0, count), ...(torn?.kind === 'w' ? [tear(torn)] : [])];
    },
    'any of them': (list) => list.filter(() => Math.random() < 0.5),
    'any of them, others torn': (list) => list.filter(() => Math.random() < 0.7)
        .map((one) => (one.kind === 'w' && Math.random() < 0.3 ? tear(one) : one)),
};
export const lossNames = Object.keys(losses);

// A disk as it grows: each file { durable, waiting: records }, and its names.
export class Disk {
    constructor(folder, { obeysSync = true } = {}) {
        Object.assign(this, { folder, obeysSync, names: new Map(), waiting: [] });
    }

    // What names there are for programs, the waiting ones included.
    find(name) {
        const names = new Map(this.names);
        for (const change of this.waiting) this.rename(names, change);
        return names.get(name);
    }

    rename(names, { kind, path: from, other: to, file }) {
        if (kind === 'c') names.set(from, file);
        else if (kind === 'u') names.delete(from);
        else {
            names.set(to, names.get(from) ?? file);
            if (kind === 'r') names.delete(from);
        }
    }

    // The file of that name; a record may be the first that is heard of it, which was made empty.
    fileOf(name) {
        let file = this.find(name);
        if (!file) {
            file = { durable: Buffer.alloc(0), waiting: [] };
            this.waiting.push({ kind: 'c', path: name, file });
        }
        return file;
    }

    take(record) {
        const { kind, path: name } = record;
        if (!name.startsWith(this.folder)) return;
        if (kind === 's') {
            if (name === this.folder) this.bringNames();
            else this.bring(this.fileOf(name));
        } else if (kind === 'u') {
            this.waiting.push(record);
        } else if ('rl'.includes(kind)) {
            this.waiting.push({ ...record, file: this.fileOf(name) });
        } else if ('wt'.includes(kind)) {
            this.fileOf(name).waiting.push(record);
        }
    }

    bring(file) {
        if (!this.obeysSync) return;
        file.durable = apply(file.durable, file.waiting);
        file.waiting = [];
    }

    bringNames() {
        if (!this.obeysSync) return;
        for (const change of this.waiting) this.rename(this.names, change);
        this.waiting = [];
    }

    // Puts what a power cut leaves into an empty folder.
    cut(folder, loss) {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const names = new Map(this.names);
        const kept = loss === 'none' ? this.waiting : loss === 'all' ? [] : this.waiting.slice(0, below(this.waiting.length));
        for (const change of kept) this.rename(names, change);
        for (const [name, file] of names) {
            if (name.endsWith('-shm')) continue; // memory, which is made anew
            const content = apply(file.durable, losses[loss](file.waiting));
            writeFileSync(path.join(folder, path.basename(name)), content, { mode: 0o600 });
        }
    }
}
