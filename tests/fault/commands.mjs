// The command, from its first call to its last: what it does is done or not, never half, and it says
// which.
import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from '../web/support/child.mjs';
import { bringTo } from '../web/support/structure.mjs';
import { builds, patience } from './world.mjs';

const imported = 'dora:$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG\n';
const password = 'seven purple elephants yawn\n';

const kept = (world) => path.join(world.install.folder, 'kept');

// Where every case begins: two users, some sessions, a link, attempts that failed.
async function keepState(world) {
    world.install.init();
    writeFileSync(path.join(world.install.folder, 'import'), imported);
    await world.install.serve({ command: builds.plain.command });
    for (let i = 0; i < 3; i++) await world.signedIn();
    await world.install.service.stop();
    world.run(['user', 'reset-link', 'bob']);
    world.session = JSON.parse(world.run(['session', 'list', 'alice', '--json']))[0].id;
    for (const folder of ['state', 'run']) cpSync(path.join(world.install.folder, folder), path.join(kept(world), folder), { recursive: true });
}

async function restore(world) {
    if (!existsSync(kept(world))) await keepState(world);
    for (const folder of ['state', 'run']) {
        rmSync(path.join(world.install.folder, folder), { recursive: true, force: true });
        cpSync(path.join(kept(world), folder), path.join(world.install.folder, folder), { recursive: true });
    }
    rmSync(path.join(world.install.folder, 'copy'), { force: true });
}

// What a state is, in numbers that say what differs from the kept one; but for the audit log, which
// may miss an act.
function look(world) {
    const secret = path.join(world.install.state, 'secret');
    const lines = (file) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []);
    const former = lines(path.join(kept(world), 'state/secret'));
    const database = existsSync(path.join(world.install.state, 'latchkey.db')) ? world.sql(`
        ATTACH '${kept(world)}/state/latchkey.db' AS kept;
        SELECT (SELECT count(*) FROM user), (SELECT total(locked) FROM user), (SELECT group_concat(name) FROM user),
            (SELECT count(*) FROM user WHERE salt IN (SELECT salt FROM kept.user)),
            (SELECT count(*) FROM user WHERE hash IN (SELECT hash FROM kept.user)), (SELECT count(*) FROM session),
            (SELECT count(*) FROM revocation), (SELECT sequence FROM generation), (SELECT count(*) FROM link),
            (SELECT count(*) FROM link WHERE digest IN (SELECT digest FROM kept.link)), (SELECT count(*) FROM throttle)`) : 'none';
    return `${database}; ${lines(secret).length} lines of secret, ${lines(secret).filter((line) => former.includes(line)).length} known`;
}

const run = (world, args, input) =>
    runToEnd([builds[world.build].command, ...args], { env: { ...world.install.env, ...world.env }, input, ...patience });

// `changes`: what it does can be seen in the state; others answer only. `between`: what it may leave,
// told, when it fails after a first step. `says`: where it tells. `warns`: with such words it is done but for `butFor`.
function command(name, args, { input = '', changes = true, between = /^$/, says = (answer) => answer.errors, warns, butFor, prepare = restore, then = ['audit', 'verify'], after } = {}) {
    const words = (world) => args.map((word) => word.replace('FOLDER', world.install.folder).replace('SESSION', world.session));
    const seen = {};
    return {
        name: `latchkey ${name}`, program: 'latchkey', isOneShot: true,
        prepare: async (world) => {
            await prepare(world);
            seen.before ??= look(world);
            return world;
        },
        act: (world) => run(world, words(world), input),
        judge(answer, world, isMute = false) {
            assert.equal(typeof answer.status, 'number', `died of ${answer.status}`);
            assert.doesNotMatch(answer.errors, /Sanitizer|runtime error:/);
            const state = look(world);
            if (answer.status === 0) {
                seen.after ??= state;
                const part = warns && (isMute || warns.test(answer.errors)) ? (text) => text.replace(butFor, '') : (text) => text;
                assert.equal(part(state), part(seen.after), 'what was said to be done is done');
                after?.(world);
                return 'right';
            }
            assert.equal(answer.status, 1, `ended with ${answer.status}: ${answer.errors}`);
            assert.ok(isMute || says(answer) !== '', 'a failure is told');
            assert.ok([seen.before, ...(changes ? [seen.after] : [])].includes(state) || between.test(state), `half done: ${state}, neither ${seen.before} nor ${seen.after}`);
            return 'told 1';
        },
        check: async (world) => {
            world.run(then);
            assert.equal(world.sql('PRAGMA integrity_check; PRAGMA foreign_key_check'), 'ok');
        },
    };
}

async function restoreLocked(world) {
    await restore(world);
    world.run(['user', 'lock', 'alice']);
}

// A database of the structure before the last.
async function restoreOld(world) {
    await restore(world);
    const file = path.join(world.install.state, 'latchkey.db');
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    world.sql(bringTo(3));
    chmodSync(file, 0o600);
}

async function removeAll(world) {
    await restore(world);
    for (const folder of ['state', 'run']) rmSync(path.join(world.install.folder, folder), { recursive: true, force: true });
}

function assertCopy(world) {
    assert.equal(world.sql('PRAGMA integrity_check; SELECT count(*) FROM user', '../copy'), 'ok\n2');
}

export const commandScenarios = [
    command('user add', ['user', 'add', 'dora', '--name', 'Dora', '--password-stdin'], { input: password }),
    command('user invite', ['user', 'invite', 'dora']),
    command('user passwd', ['user', 'passwd', 'alice', '--password-stdin'], { input: password }),
    command('user reset-link', ['user', 'reset-link', 'bob']),
    command('user lock', ['user', 'lock', 'alice']),
    command('user unlock', ['user', 'unlock', 'alice'], { prepare: restoreLocked }),
    // The sessions go first, for they may be many.
    command('user remove', ['user', 'remove', 'alice'], { between: /^2\|0\.0\|alice,bob\|1\|2\|0\|1\|1\|1\|1\|\d+; 2 lines of secret, 2 known$/ }),
    command('user import', ['user', 'import', 'FOLDER/import']),
    command('user list', ['user', 'list', '--json'], { changes: false }),
    command('session list', ['session', 'list', '--json'], { changes: false }),
    command('session revoke', ['session', 'revoke', 'SESSION']),
    command('session revoke-user', ['session', 'revoke-user', 'alice']),
    command('session revoke-all', ['session', 'revoke-all'], {
        warns: /warning: rows of sessions that have ended /, butFor: /(?<=^([^|]*\|){5})\d+/,
        between: /^2\|0\.0\|alice,bob\|0\|2\|3\|1\|1\|1\|1\|\d+; 2 lines of secret, 2 known$/,
    }),
    command('session purge', ['session', 'purge']),
    command('secret rotate', ['secret', 'rotate']),
    // It works in whatever state the database is.
    command('secret revoke', ['secret', 'revoke'], { warns: /warning: /, butFor: /^.*;/, between: /.*; 2 lines of secret, 1 known$/, then: ['user', 'list'] }),
    command('throttle list', ['throttle', 'list', '--json'], { changes: false }),
    command('throttle clear', ['throttle', 'clear']),
    command('audit', ['audit', '--json'], { changes: false }),
    command('audit verify', ['audit', 'verify'], { changes: false }),
    command('check', ['check'], { changes: false, says: (answer) => answer.output }),
    command('backup', ['backup', 'FOLDER/copy'], { changes: false, after: assertCopy }),
    command('migrate', ['migrate'], { prepare: restoreOld, then: ['migrate'] }),
    // It makes one thing after the other, and is safe to repeat.
    command('init', ['init'], { prepare: removeAll, between: /./, then: ['init'] }),
];
