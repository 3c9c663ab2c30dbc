// What goes on behind the backs of all: processes are killed, the configuration changes, secrets are
// rotated, what is over is removed, copies are made.
import { readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Service } from '../web/support/install.mjs';
import { findProgram, findWorkers, hasPorter } from '../web/support/processes.mjs';
import { pick } from './person.mjs';

const programs = ['gate', 'gate', 'gate', 'login', 'login', 'account', 'account', 'logout'];

const patience_ms = 400;

function isBusy(pid) {
    try {
        return /^[RD]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, ''));
    } catch {
        return false;
    }
}

// Kills a worker, or the porter; never the eldest worker, so that what grows is seen. One that is at
// work, if there is one soon.
async function killWorker(at) {
    const program = pick(programs);
    const porter = hasPorter(program) ? findWorkers(at.install, program)[0] : undefined;
    for (const end = Date.now() + patience_ms; ; await sleep(1)) {
        const [, ...others] = findWorkers(at.install, program).filter((pid) => pid !== porter);
        const victims = porter && Math.random() < 0.2 ? [porter] : others;
        const victim = victims.find(isBusy) ?? (Date.now() > end ? pick(victims) : undefined);
        if (victim) kill(at, victim, program, victim === porter ? 'porter' : 'worker');
        if (victim || Date.now() > end) return;
    }
}

// The first process of a program: its workers end what they have begun, and serve starts it again.
function killProgram(at) {
    const program = pick(programs);
    const pid = findProgram(at.install, program);
    if (pid) kill(at, pid, program, 'program');
}

function kill(at, pid, program, what) {
    try {
        process.kill(pid, 'SIGKILL');
        at.kills.push({ time: Date.now(), program, what });
        at.count.kills[what] = (at.count.kills[what] ?? 0) + 1;
    } catch {
        // it ended by itself: it belonged to a program that was replaced
    }
}

// Another name of the site and other limits, which the running programs take over.
function changeConfiguration(at) {
    at.turn++;
    at.install.configure({
        ...at.settings, site: { name: `Site number ${at.turn}` },
        session: { ...at.settings.session, idle: `${3 + at.turn % 3}m` },
    });
    at.install.service.child.kill('SIGHUP');
    at.changes.push(Date.now());
}

async function run(at, ...words) {
    const { status, output } = await at.command(...words);
    if (status !== 0) at.count.failures.push(`${at.store}: latchkey ${words.join(' ')}: ${status} ${output}`);
    return output;
}

async function rotate(at) {
    await run(at, 'secret', 'rotate');
    at.rotations++;
}

// A copy, and whether it is one: integrity, and no smaller than one of nothing.
async function backUp(at) {
    const copy = path.join(at.install.folder, 'copy.db');
    await run(at, 'backup', copy);
    const check = new Service('sqlite3', [copy, 'PRAGMA integrity_check']);
    if (await check.ended !== 0 || check.output !== 'ok\n' || statSync(copy).size < 20000) {
        at.count.failures.push(`${at.store}: the copy is bad: ${check.output}`);
    }
    rmSync(copy, { force: true });
}

// In seconds, as parts of the whole where it is short.
const paces = (seconds) => ({
    kill: 2, killProgram: Math.min(60, seconds / 20), configure: Math.min(150, seconds / 12), rotate: Math.min(90, seconds / 20),
    purge: 15, backup: Math.min(60, seconds / 5), verify: Math.min(120, seconds / 3),
});

// Does each thing at its pace until all is over. What replaces all processes of a program is done in the
// first half only: what grows in them must have the time to show.
export function disturb(at, seconds) {
    const pace = paces(seconds);
    const half = Date.now() + seconds * 500;
    const early = (doing) => (Date.now() < half ? doing(at) : undefined);
    const doings = [
        [pace.kill, killWorker], [pace.killProgram, () => early(killProgram)], [pace.configure, () => early(changeConfiguration)],
        [pace.rotate, rotate],
        [pace.purge, () => run(at, 'session', 'purge')], [pace.backup, backUp],
        [pace.verify, () => run(at, 'audit', 'verify')], [pace.verify, () => run(at, 'check')],
    ];
    return Promise.all(doings.map(async ([every, doing]) => {
        let next = Date.now() + every * 1000 * (0.5 + Math.random() / 2);
        while (!at.isOver) {
            await sleep(Math.min(500, Math.max(0, next - Date.now())));
            if (Date.now() < next || at.isOver) continue;
            await doing(at);
            at.count.doings++;
            next += every * 1000;
        }
    }));
}
