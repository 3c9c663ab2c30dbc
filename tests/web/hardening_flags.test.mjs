// The flags of the Makefile that make faults harder to use, read from the files that they made; and that
// each of them would be missed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readFeatures, readProgram, readUnits } from './support/elf.mjs';
import { programs, root } from './support/install.mjs';

const build = path.join(programs, '../..');
const library = path.join(build, 'lib/liblatchkey.a');
const hasCet = process.arch === 'x64';

function run(command, args) {
    const env = { ...process.env };
    for (const name of ['MAKEFLAGS', 'MAKELEVEL', 'MFLAGS']) delete env[name];
    return spawnSync(command, args, { cwd: root, env, encoding: 'utf8' });
}

// The Makefile's own, as lists.
function readFlags() {
    const show = 'show-flags: ; @printf "%s\\n" "$(CFLAGS) $(HARDEN)" "$(LDFLAGS)"';
    const { status, stdout, stderr } = run('make', ['--silent', '--eval', show, 'show-flags']);
    assert.equal(status, 0, stderr);
    const [compile, link] = stdout.trim().split('\n').map((line) => line.trim().split(/\s+/));
    return { compile, link };
}

// What leaves no other trace than the compiler's own note of it. (Without -g there is none.) Of options
// that contradict each other, it notes one or all, and the last counts.
const options = ['-fstack-protector-strong', '-fstack-clash-protection', '-ftrivial-auto-var-init=zero', '-fPIC',
    ...(hasCet ? ['-fcf-protection=full'] : []), '-fno-delete-null-pointer-checks', '-fno-strict-overflow', '-fno-strict-aliasing'];

const subject = (option) => option.replace(/^-f(no-)?/, '').replace(/=.*|-(strong|all|explicit)$/, '').toLowerCase();
const isOn = (option, unit) => unit.filter((other) => subject(other) === subject(option)).pop() === option;

const optionsMissing = (units) => (units.length === 0 ? ['says nothing of how it was compiled'] :
    options.filter((option) => !units.every((unit) => isOn(option, unit))).map((option) => `a part without ${option}`));

const loads = ({ segments }) => segments.LOAD ?? [];
const rules = {
    'always lies at the same address': ({ type, dynamic }) => type !== 'DYN' || !/\bPIE\b/.test(dynamic.FLAGS_1),
    'looks for functions when they are called': ({ dynamic }) => !/BIND_NOW/.test(dynamic.FLAGS) || !/NOW/.test(dynamic.FLAGS_1),
    'its table of functions stays writable': ({ segments }) => segments.GNU_RELRO === undefined,
    'its stack can be executed': ({ segments }) => segments.GNU_STACK?.[0].flags !== 'RW',
    'memory can be both written and executed': (elf) => loads(elf).some(({ flags }) => /W/.test(flags) && /E/.test(flags)),
    'its headers can be executed': (elf) => loads(elf).some(({ flags, offset }) => offset === 0 && /E/.test(flags)),
    'its code is written to when it is loaded': ({ dynamic }) => dynamic.TEXTREL !== undefined || /TEXTREL/.test(dynamic.FLAGS),
    'looks for libraries in a place of its own': ({ dynamic }) => (dynamic.RPATH ?? dynamic.RUNPATH) !== undefined,
    'no stack has a guard': ({ imports }) => !imports.includes('__stack_chk_fail'),
    'no call of libc knows the room it writes to': ({ imports }) => !imports.some((name) => /^__\w+_chk$/.test(name)),
    'is not marked for a shadow stack': ({ features }) => hasCet && !features.includes('SHSTK'),
    'has no build ID': ({ buildId }) => !/^[0-9a-f]{40}$/.test(buildId),
};

const findFaults = (elf) => [...Object.keys(rules).filter((rule) => rules[rule](elf)), ...optionsMissing(elf.units)];

// Libraries here know __memcpy_chk only if the room of allocated memory is known: _FORTIFY_SOURCE=3.
const sample = `
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    int main(int count, char **words)
    {
        char text[64];
        size_t room = (size_t)count * 16;
        char *copy = malloc(room);
        if (copy == NULL) return 1;
        memcpy(copy, words[0], strlen(words[0]));
        snprintf(text, sizeof text, "%.*s", count, copy);
        puts(text);
        free(copy);
        return 0;
    }
`;

const asm = (text) => `__asm__(${JSON.stringify(text)});\n`;
// [what is found, what is added to the flags or to the source, or taken from the flags]
const faults = [
    [['always lies at the same address'], { link: ['-no-pie'] }],
    [['looks for functions when they are called'], { link: ['-Wl,-z,lazy'] }],
    [['its table of functions stays writable'], { link: ['-Wl,-z,norelro'] }],
    [['its stack can be executed'], { link: ['-Wl,-z,execstack'] }],
    [['memory can be both written and executed'],
        { source: asm('.section .hot,"awx",%progbits\n.byte 0\n.text\n'), link: ['-Wl,--no-warn-rwx-segments'] }],
    [['its headers can be executed'], { link: ['-Wl,-z,noseparate-code'] }],
    [['its code is written to when it is loaded'], { source: asm('.text\n.quad main\n'), link: ['-Wl,-z,notext'] }],
    [['looks for libraries in a place of its own'], { link: ['-Wl,-rpath,/opt/lib'] }],
    [['no stack has a guard', 'a part without -fstack-protector-strong'], { compile: ['-fno-stack-protector'] }],
    [['no call of libc knows the room it writes to'], { compile: ['-U_FORTIFY_SOURCE'] }],
    [['has no build ID'], { link: ['-Wl,--build-id=none'] }],
    [['a part without -fstack-clash-protection'], { compile: ['-fno-stack-clash-protection'] }],
    [['a part without -ftrivial-auto-var-init=zero'], { compile: ['-ftrivial-auto-var-init=uninitialized'] }],
    [['a part without -fPIC'], { compile: ['-fPIE'] }],
    [['a part without -fno-delete-null-pointer-checks'], { compile: ['-fdelete-null-pointer-checks'] }],
    [['a part without -fno-strict-overflow'], { compile: ['-fstrict-overflow'] }],
    [['a part without -fno-strict-aliasing'], { compile: ['-fstrict-aliasing'] }],
    [['says nothing of how it was compiled'], { compile: ['-g0'] }],
    ...(hasCet ? [
        [['a part without -fcf-protection=full'], { compile: ['-fcf-protection=none'] }],
        [['is not marked for a shadow stack'], { without: '-Wl,-z,shstk' }],
    ] : []),
];

describe('the flags of the Makefile', () => {
    let folder;
    let flags;

    before(() => {
        folder = mkdtempSync(path.join(tmpdir(), 'latchkey-flags-'));
        flags = readFlags();
    });
    after(() => rmSync(folder, { recursive: true }));

    // The path of what gcc made of the sample.
    function compile(name, { source = '', compile: added = [] }, ...more) {
        const file = path.join(folder, `${name}.c`);
        writeFileSync(file, source + sample);
        const { status, stderr } = run('gcc', [...flags.compile, ...added, '-c', '-o', path.join(folder, name), file, ...more]);
        assert.equal(status, 0, stderr);
        return path.join(folder, name);
    }

    function link(fault) {
        const object = compile('sample.o', fault);
        const file = path.join(folder, 'sample');
        const { status, stderr } = run('gcc', [...flags.link.filter((flag) => flag !== fault.without), ...(fault.link ?? []),
            '-o', file, object]);
        assert.equal(status, 0, stderr);
        return readProgram(file);
    }

    const linkShared = (...objects) => run('gcc', ['-shared', '-Wl,-z,text,-z,defs', '-o', path.join(folder, 'module.so'),
        ...objects, '-lsqlite3', '-lnettle', '-lsodium', '-linih']);

    it('made every program and the command', () => {
        const built = readdirSync(path.join(root, 'cgi-bin')).filter((name) => name.endsWith('.c'))
            .map((name) => path.join('cgi-bin', path.basename(name, '.c')));
        assert.ok(built.length >= 4);
        for (const name of [...built, 'bin/latchkey']) {
            const elf = readProgram(path.join(build, name));
            assert.deepEqual(findFaults(elf), [], `${name}; after a change of flags: make clean all`);
            assert.ok(elf.units.length > 30, `${name} is made of ${elf.units.length} files`);
        }
    });

    it('made the library, of which others can make modules', () => {
        assert.deepEqual(optionsMissing(readUnits(library)), []);
        if (hasCet) assert.deepEqual(readFeatures(library), [['IBT', 'SHSTK']]);
        const { status, stderr } = linkShared('-Wl,--whole-archive', library, '-Wl,--no-whole-archive');
        assert.equal(status, 0, stderr);
    });

    it('make a program in which there is nothing to find', () => {
        const elf = link({});
        assert.deepEqual(findFaults(elf), []);
        assert.ok(elf.imports.includes('__memcpy_chk'), 'the room of allocated memory is known');
    });

    for (const [found, fault] of faults) {
        it(`would be missed: ${found[0]}`, () => assert.deepEqual(findFaults(link(fault)), found));
    }

    it('would be missed: the room of allocated memory', () => {
        const elf = link({ compile: ['-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2'] });
        assert.ok(!elf.imports.includes('__memcpy_chk'));
    });

    it('would be missed: objects of which no module can be made', () => {
        assert.equal(linkShared(compile('module.o', {})).status, 0);
        assert.match(linkShared(compile('module.o', { compile: ['-fno-pic'] })).stderr, /recompile with -fPIC/);
        if (hasCet) assert.deepEqual(readFeatures(compile('module.o', { compile: ['-fcf-protection=branch'] })), [['IBT']]);
    });
});
