// What a built file says of how it was compiled and linked, as readelf of binutils prints it.
import { spawnSync } from 'node:child_process';

function readelf(file, ...options) {
    const { status, stdout, stderr, error } = spawnSync('readelf', ['--wide', ...options, file],
        { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`readelf ${file}: ${error ?? stderr}`);
    return stdout;
}

// { GNU_STACK: [{ flags: 'RW', offset }], LOAD: […], … }
function readSegments(file) {
    const segments = {};
    for (const [, type, offset, flags] of readelf(file, '--segments')
        .matchAll(/^ {2}([A-Z_]+) +0x([0-9a-f]+) (?:0x[0-9a-f]+ ){4}([RWE ]{3})/gm)) {
        (segments[type] ??= []).push({ flags: flags.replaceAll(' ', ''), offset: parseInt(offset, 16) });
    }
    return segments;
}

// { FLAGS: 'BIND_NOW', … } of the dynamic section
const readDynamic = (file) => Object.fromEntries([...readelf(file, '--dynamic')
    .matchAll(/^ 0x[0-9a-f]+ \((\w+)\) +(.*)$/gm)].map(([, tag, value]) => [tag, value]));

// What the compiler says of each of its units, with the options that changed the code; of gcc's C alone,
// for libc's first steps are written in assembler.
export const readUnits = (file) => [...readelf(file, '--debug-dump=info', '--dwarf-depth=1')
    .matchAll(/DW_AT_producer +: (?:\(.*?\): )?(GNU C\d.*)$/gm)].map(([, producer]) => producer.trim().split(' '));

// Of an object, or of each object in an archive: ['IBT', 'SHSTK']
export const readFeatures = (file) => [...readelf(file, '--notes').matchAll(/^File: |x86 feature: ([^\n]*)/gm)]
    .filter(([, features]) => features !== undefined)
    .map(([, features]) => features.split(/, (?:x86 ISA.*)?/).filter(Boolean));

export function readProgram(file) {
    return {
        type: /^ +Type: +(\w+)/m.exec(readelf(file, '--file-header'))[1],
        segments: readSegments(file),
        dynamic: readDynamic(file),
        imports: [...readelf(file, '--dyn-syms').matchAll(/ UND (\w+)/g)].map(([, name]) => name),
        features: readFeatures(file)[0] ?? [],
        buildId: /Build ID: ([0-9a-f]+)/.exec(readelf(file, '--notes'))?.[1],
        units: readUnits(file),
    };
}
