// The filter for fail2ban, read by fail2ban itself, on lines that our function wrote, and on lines
// that somebody would like it to take for ours.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from './support/install.mjs';

const filter = path.join(root, 'deploy/fail2ban/filter.d/latchkey.conf');
const sources = ['log', 'syslog', 'address', 'text', 'status'].map((name) => `src/base/${name}.c`);

let folder;
let program;

function run(command, args) {
    const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
    assert.equal(result.status, 0, `${command}: ${result.error ?? ''}${result.stdout}${result.stderr}`);
    return result;
}

// What both logs get: { syslog, stderr }, lines each.
function write(...pairs) {
    const { stdout, stderr } = run(program, pairs.flat());
    const lines = (text) => text.split('\n').filter(Boolean);
    // As whoever keeps the system's log writes it to a file: with the host, without the priority.
    const syslog = lines(stdout).map((line) => line.replace(/^<84>(.{15}) /, '$1 host.example '));
    return { syslog, stderr: lines(stderr) };
}

// The addresses that the filter finds in the lines.
function find(lines, mode) {
    const file = path.join(folder, 'lines');
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    const { stdout } = run('fail2ban-regex', ['-o', 'ip', file, mode ? `${filter}[mode=${mode}]` : filter]);
    return stdout.split('\n').filter(Boolean);
}

const pairs = [
    ['alice', '192.0.2.7'],
    ['', '198.51.100.9'],
    ['a.b_c-d@e+F9', '2001:db8::7'],
    ['rhost', '::ffff:203.0.113.5'],
    ['authentication', '203.0.113.6'],
    ['alice rhost=10.0.0.1', '203.0.113.7'],
    ['alice\n\nNov 29 10:00:00 h latchkey[1]: authentication failure; user= rhost=10.0.0.2', '203.0.113.8'],
];
const addresses = ['192.0.2.7', '198.51.100.9', '2001:db8::7', '203.0.113.5', '203.0.113.6', '203.0.113.7', '203.0.113.8'];

describe('the filter for fail2ban', () => {
    before(() => {
        folder = mkdtempSync(path.join(tmpdir(), 'latchkey-fail2ban-'));
        program = path.join(folder, 'failure');
        run(process.env.CC ?? 'cc', ['-std=c17', '-D_POSIX_C_SOURCE=200809L', '-Isrc', '-o', program,
            'tests/web/support/failure.c', ...sources]);
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    it('finds the address of each wrong password in the file of the system\'s log', () => {
        assert.deepEqual(find(write(...pairs).syslog), addresses);
    });

    it('finds it with the time as newer systems write it, and without a host', () => {
        const rewritten = write(...pairs).syslog.map((line, i) => line.replace(/^.{15} host.example/,
            i % 2 === 0 ? '2026-11-29T16:05:09.123456+00:00 host' : 'Nov 29 16:05:09'));
        assert.deepEqual(find(rewritten), addresses);
    });

    it('finds it on standard error, bare and as the journal keeps it', () => {
        const { stderr } = write(...pairs);
        assert.equal(stderr.length, pairs.length);
        const dated = stderr.map((line, i) => `Nov 29 16:05:09 ${i % 2 === 0 ? 'host latchkey[77]: ' : ''}${line}`);
        assert.deepEqual(find(dated, 'stderr'), addresses);
        assert.deepEqual(find(stderr, 'stderr'), addresses);
        assert.deepEqual(find(dated.map((line) => line.replace(/login\[/, 'account[')), 'stderr'), addresses);
    });

    it('counts one of the two lines where both come into one log', () => {
        const { syslog, stderr } = write(['alice', '192.0.2.7']);
        const both = [...syslog, ...stderr.map((line) => `Nov 29 16:05:09 host latchkey[77]: ${line}`)];
        assert.deepEqual(find(both), ['192.0.2.7']);
        assert.deepEqual(find(both, 'stderr'), ['192.0.2.7']);
    });

    it('is not led astray by what people can have written into logs', () => {
        const says = 'authentication failure; user=alice rhost=10.0.0.3';
        const evil = [
            `Nov 29 16:05:09 host sshd[5]: Invalid user ${says} from 192.0.2.7 port 22`,
            `Nov 29 16:05:09 host sshd[5]: Invalid user latchkey[1]: ${says}`,
            `Nov 29 16:05:09 host sshd[5]: latchkey[1]: ${says}`,
            `Nov 29 16:05:09 sshd[5]: latchkey[1]: ${says}`,
            `Nov 29 16:05:09 host other[5]: login[1]: warning: ${says}`,
            `Nov 29 16:05:09 host latchkey[5]: gate[1]: warning: GET /?${says}`,
            `Nov 29 16:05:09 host latchkey[5]: login[1]: info: signed in; agent ${says}`,
            `Nov 29 16:05:09 host latchkey[5]: ${says} x`,
            `Nov 29 16:05:09 host latchkey[5]: ${says} rhost=10.0.0.4`,
            'Nov 29 16:05:09 host latchkey[5]: authentication failure; user=a b rhost=10.0.0.3',
            'Nov 29 16:05:09 host latchkey[5]: authentication failure; user=alice rhost=',
            'Nov 29 16:05:09 host latchkey[5]: authentication failure; user=alice rhost=example.org',
            `192.0.2.7 - - [29/Nov/2026:16:05:09 +0000] "GET /latchkey[1]: ${says} HTTP/1.1" 404 9 "-" "latchkey[1]: ${says}"`,
            `2026/11/29 16:05:09 [error] 5#5: *1 FastCGI sent in stderr: "login[1]: warning: ${says}" while reading`,
            `2026/11/29 16:05:09 [error] 5#5: *1 open() "/srv/login[1]: warning: ${says}`,
        ];
        assert.deepEqual(find(evil), []);
        assert.deepEqual(find(evil, 'stderr'), []);
    });

    it('goes with a jail that fail2ban takes', () => {
        const etc = path.join(folder, 'fail2ban');
        cpSync('/etc/fail2ban', etc, { recursive: true, filter: (name) => !name.includes('/jail.d/') });
        mkdirSync(path.join(etc, 'jail.d'), { recursive: true });
        cpSync(path.join(root, 'deploy/fail2ban'), etc, { recursive: true });
        assert.deepEqual(readdirSync(path.join(etc, 'jail.d')), ['latchkey.conf']);
        const log = path.join(folder, 'auth.log');
        writeFileSync(log, '');
        writeFileSync(path.join(etc, 'jail.d/latchkey.local'),
            `[sshd]\nenabled = false\n[latchkey]\nenabled = true\nbackend = polling\nlogpath = ${log}\n`);
        const { stdout } = run('fail2ban-client', ['-c', etc, '-d']);
        assert.match(stdout, /\['add', 'latchkey', 'polling'\]/);
        assert.match(stdout, /\['set', 'latchkey', 'maxretry', 20\]/);
    });
});
