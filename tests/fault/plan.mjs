// The plan of the next fault; plan.h is its other side.
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

const nameBytes = 32;
const room = 128;
const at = { program: 0, passed: 32, count: 40, names: 48, counts: 48 + room * nameBytes, rules: 48 + room * (nameBytes + 8) };
const rule = { function: 8, seen: 48, injected: 56, offset: 64, object: 72, bytes: 136 };
const rules = 2;
const how = { before: 1n, after: 2n, short: 3n };

const text = (bytes) => bytes.toString('latin1').replace(/\0.*$/s, '');

export class Plan {
    constructor(file) {
        this.file = file;
        this.descriptor = openSync(file, 'w+');
        ftruncateSync(this.descriptor, 16384);
        this.passed = 0;
    }

    close() {
        closeSync(this.descriptor);
    }

    read(from, length) {
        const bytes = Buffer.alloc(length);
        readSync(this.descriptor, bytes, 0, length, from);
        return bytes;
    }

    write(from, bytes) {
        writeSync(this.descriptor, bytes, 0, bytes.length, from);
    }

    writeName(from, name) {
        const bytes = Buffer.alloc(nameBytes);
        bytes.write(name, 'latin1');
        this.write(from, bytes);
    }

    writeNumbers(from, numbers) {
        const bytes = Buffer.alloc(numbers.length * 8);
        numbers.forEach((number, i) => bytes.writeBigInt64LE(BigInt(number), i * 8));
        this.write(from, bytes);
    }

    // Whose calls count: the name of a program's file.
    watch(program) {
        if (this.program !== program) this.writeName(at.program, program);
        this.program = program;
    }

    // Lets time go by, for all programs.
    pass(seconds) {
        this.passed += seconds;
        this.writeNumbers(at.passed, [this.passed]);
    }

    // The functions that can fail, as the first program under test has told them.
    get names() {
        if (!this.known?.length) {
            const count = Number(this.read(at.count, 8).readBigUInt64LE());
            const bytes = this.read(at.names, count * nameBytes);
            this.known = Array.from({ length: count }, (_, i) => text(bytes.subarray(i * nameBytes, (i + 1) * nameBytes)));
        }
        return this.known;
    }

    // Sets all counts to 0.
    forget() {
        this.write(at.counts, Buffer.alloc(room * 8));
    }

    // How often each function was called since, as { name: count }, those that were.
    get counts() {
        const bytes = this.read(at.counts, room * 8);
        return Object.fromEntries(this.names.map((name, i) => [name, Number(bytes.readBigUInt64LE(i * 8))])
            .filter(([, count]) => count > 0));
    }

    // From now on the faults, { name, how, error, nth, span, except }, happen, two at most.
    arm(faults) {
        faults.forEach((fault, i) => {
            const from = at.rules + i * rule.bytes;
            const index = this.names.indexOf(fault.name);
            if (index < 0) throw new Error(`no function is called ${fault.name}`);
            this.write(from, Buffer.alloc(rule.bytes));
            this.writeName(from + rule.object + nameBytes, fault.except ?? '');
            this.writeNumbers(from + rule.function, [index, how[fault.how], fault.error, fault.nth, fault.span]);
            this.writeNumbers(from, [1]);
        });
    }

    // Ends that; what came of each, { injected, seen, object, offset }.
    disarm() {
        return Array.from({ length: rules }, (_, i) => {
            const from = at.rules + i * rule.bytes;
            this.writeNumbers(from, [0]);
            const bytes = this.read(from, rule.bytes);
            const number = (offset) => Number(bytes.readBigUInt64LE(offset));
            return {
                injected: number(rule.injected), seen: number(rule.seen), offset: number(rule.offset),
                object: text(bytes.subarray(rule.object, rule.object + nameBytes)),
            };
        });
    }
}
