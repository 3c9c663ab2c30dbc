// What a million sessions take of the disk, and what is felt of it when all of them go at once.
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Browser } from '../web/support/http.mjs';
import { Clock, hour } from '../web/support/clock.mjs';
import { password } from './installation.mjs';
import { interleave, load } from './measure.mjs';
import { grouped, spread } from './numbers.mjs';
import { page, startServer } from './servers.mjs';
import { limits } from './verdict.mjs';

const purgesMax = 3;
const quiet_s = 10; // the longer one waits, the slower is the slowest
const patience_s = 600;

export async function measureBytes({ report }, installation) {
    await installation.make();
    const each = installation.databaseBytes / installation.sessions;
    report.table(`Database of ${grouped(installation.sessions)} sessions`, ['', 'bytes'],
        [['all', grouped(installation.databaseBytes)], ['of each session', each.toFixed(0)]]);
    report.add({ name: 'database, bytes of each live session', limit: limits.bytes, values: [each] });
}

// The database as it was made, with nobody at it.
async function putBack(installation, kept) {
    await installation.stop();
    const at = (name) => path.join(installation.state, name);
    for (const name of readdirSync(installation.state).filter((file) => /^latchkey\.db-/.test(file))) rmSync(at(name));
    copyFileSync(kept, at('latchkey.db'));
    await installation.serve();
}

// Somebody whom the clock of the purge finds still signed in, as a list of requests.
async function signIn(installation, port) {
    const browser = new Browser(port);
    const answer = await browser.signIn({ name: 'person0', password }, { remember: '1' });
    if (answer.status !== 303) throw new Error(`a sign-in is answered with ${answer.status}`);
    return installation.writeList('live', [['GET', browser.cookie, '']]);
}

async function purge(installation, port, clock) {
    const list = await signIn(installation, port);
    const begun = performance.now();
    const purged = installation.command(['session', 'purge'], { env: { ...installation.env, ...clock.env } });
    const checks = await load({ port, target: page, list, seconds: patience_s, connections: 1, stopWhen: purged });
    const removed = Number(/\d+/.exec(await purged)?.[0]);
    if (!(removed >= installation.sessions)) throw new Error(`${removed} of ${installation.sessions} sessions were purged`);
    return { ...checks, taken: (performance.now() - begun) / 1000 };
}

// The clock goes on for the purge alone, so that the programs are measured as they are.
export async function measurePurge({ scratch, settings, report }, installation) {
    await installation.make();
    await installation.stop();
    const kept = path.join(installation.folder, 'database');
    copyFileSync(path.join(installation.state, 'latchkey.db'), kept);
    const clock = new Clock({ folder: installation.folder });
    clock.pass(25 * hour);
    await installation.serve();
    const server = await startServer('nginx', scratch, installation.runFolder, settings);
    const { port } = server;
    const results = await interleave(Math.min(settings.rounds, purgesMax), {
        quiet: async () => {
            const list = await signIn(installation, port);
            return load({ port, target: page, list, seconds: quiet_s, connections: 1 });
        },
        purging: async () => {
            await putBack(installation, kept);
            return purge(installation, port, clock);
        },
    });
    await scratch.stop(server);
    const column = (name, key, divisor = 1000) => results[name].map((result) => result[key] / divisor);
    report.table(`Checks on one connection while ${grouped(installation.sessions)} sessions that are over are purged`,
        ['', 'p50 ms', 'p99 ms', 'slowest ms', 'purge takes, s'], [
            ['quiet', ...['p50_us', 'p99_us', 'max_us'].map((key) => spread(column('quiet', key), 2)), ''],
            ['purging', ...['p50_us', 'p99_us', 'max_us'].map((key) => spread(column('purging', key), 2)),
                spread(column('purging', 'taken', 1), 1)],
        ]);
    report.add({ name: 'slowest check while sessions are purged', limit: limits.purge,
        values: column('purging', 'max_us') });
}
