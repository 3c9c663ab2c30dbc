// Whether the time of an answer tells if there is such a user: `make timing`.
//
// The login program is asked at its socket, each request a connection of its own, names in random order, on a
// processor of its own where there are two. The database lies in memory and hashes are cheap, so that little else
// varies. Two times are taken: until the answer comes, as everybody can see it, and the processor time that the
// program had, which no other program of the machine makes longer. Known and unknown, locked, invited and broken
// accounts must take the same; and the same measurement must find, by one of them at least, a stand-in hash that takes
// 100 microseconds more, and one that is left out.
//
// SAMPLES: requests for each name.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { askFastcgi, fastcgiRequest, required } from '../web/support/direct.mjs';
import { formType } from '../web/support/forms.mjs';
import { encodeForm, formFields } from '../web/support/http.mjs';
import { Install, plainLatchkey } from '../web/support/install.mjs';
import { makeLibrary } from '../web/support/preload.mjs';
import { findAll, findWorkers } from '../web/support/processes.mjs';
import { compare } from './statistics.mjs';

const samples = Number(process.env.SAMPLES ?? 3000);
const warmUp = 50;
if (!Number.isInteger(samples) || samples < 100) throw new Error('SAMPLES must be a whole number from 100 on');

// What may be seen over the network at best (security research finds less only on the same machine).
const bound = (median) => Math.max(50, median * 0.005);

// Names of one length; what is in the database of each.
const names = { known: 'alice', unknown: 'zelda', locked: 'larry', invited: 'irene', broken: 'bruce' };

const cpus = os.cpus().length;
const pin = (pid, cpu) => cpus > 1 && spawnSync('taskset', ['-a', '-p', '-c', String(cpu), String(pid)]);

async function startInstall(standIn) {
    const install = new Install({ workers: { login: 1, logout: 1, account: 1, gate: 1 }, throttle: { attempts: 1000000 } });
    install.do(['init']);
    for (const who of ['known', 'locked', 'broken']) install.addUser({ name: names[who], password: 'a long sentence of words' });
    install.do(['user', 'lock', names.locked]);
    install.do(['user', 'invite', names.invited]);
    const broken = `UPDATE user SET hash = '$argon2id$broken' WHERE name = '${names.broken}'`;
    const { status, stderr } = spawnSync('sqlite3', [path.join(install.state, 'latchkey.db'), broken], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`sqlite3: ${stderr}`);
    const env = standIn === undefined ? {} : { LATCHKEY_TEST_STAND_IN: standIn,
        LD_PRELOAD: makeLibrary(install.folder, 'tests/timing/stand_in.c', '-ldl') };
    await install.serve({ command: plainLatchkey, env });
    for (const pid of findAll(install)) pin(pid, 1);
    pin(process.pid, 0);
    return install;
}

// Microseconds of processor time that processes had so far (the kernel's Documentation/scheduler/sched-stats).
const countWork = (pids) => pids.reduce((sum, pid) => sum + Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]), 0) / 1000;

// Microseconds from the last byte of the request to the first of the answer.
function time(socketPath, bytes) {
    return new Promise((resolve, reject) => {
        let begin;
        let took;
        let answer = '';
        const socket = net.connect(socketPath, () => {
            begin = process.hrtime.bigint();
            socket.write(bytes);
        });
        socket.setTimeout(20000, () => socket.destroy(new Error('timeout')));
        socket.on('data', (data) => {
            took ??= Number(process.hrtime.bigint() - begin) / 1000;
            answer += data.toString('latin1');
        });
        socket.on('error', reject);
        socket.on('close', () => (answer.includes('Status: 403') ? resolve(took) : reject(new Error(answer.slice(0, 200)))));
    });
}

// For each name { waited, worked }, two lists.
async function measure(install, wanted, count) {
    const variables = { ...required, REQUEST_URI: '/auth/login', SCRIPT_NAME: '/auth/login' };
    const page = await askFastcgi(install.socket('login'), variables);
    const cookie = page.headers['set-cookie'].split(';')[0];
    const requests = Object.fromEntries(wanted.map((who) => {
        const body = encodeForm({ ...formFields(page.body), username: names[who], password: 'not the password' });
        return [who, fastcgiRequest({ ...variables, REQUEST_METHOD: 'POST', HTTP_COOKIE: cookie, CONTENT_TYPE: formType,
            CONTENT_LENGTH: String(body.length) }, 'responder', body)];
    }));
    const times = Object.fromEntries(wanted.map((who) => [who, { waited: [], worked: [] }]));
    const pids = findWorkers(install, 'login');
    for (let round = -warmUp; round < count; round++) {
        const order = wanted.map((who) => [Math.random(), who]).sort(([a], [b]) => a - b);
        for (const [, who] of order) {
            const before = countWork(pids);
            const took = await time(install.socket('login'), requests[who]);
            if (round < 0) continue;
            times[who].waited.push(took);
            times[who].worked.push(countWork(pids) - before);
        }
    }
    return times;
}

const us = (value) => value.toFixed(1);

// Measures with a stand-in, prints, and returns whether it came out as wanted.
async function run(title, standIn, wanted, count, mustDiffer) {
    const install = await startInstall(standIn);
    let isRight = true;
    console.log(`${title}, ${count} requests for each:`);
    try {
        const times = await measure(install, wanted, count);
        for (const who of wanted.filter((name) => name !== 'known')) {
            const compared = ['waited', 'worked'].map((kind) => ({ kind, ...compare(times[who][kind], times.known[kind], bound) }));
            const isGood = compared.some(({ differ }) => differ) === mustDiffer;
            isRight &&= isGood;
            for (const { kind, t, p, median, limit, differ } of compared) {
                console.log(`  ${who.padEnd(8)} ${kind} ${us(median.value)} us longer than known, which took ${us(median.of)} us ` +
                    `(99 %: ${us(median.low)} to ${us(median.high)}; bound ${us(limit)}), Welch t ${t.toFixed(1)}, ` +
                    `Mann-Whitney p ${p.toPrecision(2)}: ${differ ? 'differs' : 'the same'}`);
            }
            if (!isGood) console.log(`  ${who}: not what it must be`);
        }
    } finally {
        await install.close();
    }
    return isRight;
}

if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';
const few = Math.max(Math.floor(samples / 3), 100);
const results = [
    await run('as it is', undefined, Object.keys(names), samples, false),
    await run('control: no work for who is unknown', 'none', ['known', 'unknown'], few, true),
    await run('control: 100 us more for who is unknown', '100', ['known', 'unknown'], few, true),
];
process.exitCode = results.every(Boolean) ? 0 : 1;
