// Measures the programs beside what they are to be compared with, as README.md says; for `make bench`.
// Prints tables and writes $BUILD/bench.json. Ends with 1 when something was missed, 2 when something
// could not be measured. Usage: bench.mjs [--quick]; environment: see README.md and settings.mjs.
import { measureChecks } from './checks.mjs';
import { Installation, makeAll } from './installation.mjs';
import { measureMemory } from './memory.mjs';
import { grouped } from './numbers.mjs';
import { measurePages } from './pages.mjs';
import { measureBytes, measurePurge } from './purge.mjs';
import { Report } from './report.mjs';
import { program, runBench } from './scratch.mjs';
import { readSettings } from './settings.mjs';
import { measureFlood, measureSignIns } from './sign_ins.mjs';
import { measureStart } from './start.mjs';

// Jobs { job, what, seconds: about as long as it takes, at: its installation, run }, those of one
// installation together: one serves at a time. Quickly, lighttpd and memory are looked at with one
// store only.
function plan(bench, { few, many, real }) {
    const { settings } = bench;
    const inTurns = 2 * settings.rounds * (settings.seconds + 0.3);
    const onLarge = 2 * settings.rounds * settings.seconds + 60;
    const list = [];
    const add = (job, at, what, seconds, run) => {
        if (settings.jobs.includes(job)) list.push({ job, at, what, seconds, run });
    };
    for (const store of settings.stores) {
        const at = few[store];
        const servers = settings.servers.filter((name) =>
            !settings.quick || settings.servers.length === 1 || name === 'nginx' || store === settings.stores[0]);
        if (!settings.quick || store === settings.stores[0]) {
            add('memory', at, `memory, ${store} store`, 8 + settings.checks / 20000, () => measureMemory(bench, at));
        }
        add('start', at, `plain CGI, ${store} store`, 3 * settings.rounds, () => measureStart(bench, at));
        for (const server of servers) {
            add('checks', at, `checks, ${server}, ${store} store, ${grouped(at.sessions)} sessions`, inTurns,
                () => measureChecks(bench, at, server, 'checks'));
        }
        for (const server of servers.filter((name) => !settings.quick || name === servers[0])) {
            add('busy', at, `checks, ${server}, ${store} store, with sign-ins and sign-outs`, inTurns,
                () => measureChecks(bench, at, server, 'busy', settings.signInsPerSecond));
        }
        if (store === settings.stores[0]) add('pages', at, 'pages', inTurns, () => measurePages(bench, at));
    }
    add('sign-ins', real, 'sign-ins', inTurns, () => measureSignIns(bench, real));
    add('flood', real, 'checks while sign-ins are flooded', inTurns + settings.rounds, () => measureFlood(bench, real));
    for (const store of settings.stores) {
        for (const server of settings.servers) {
            const at = many[store];
            add('million', at, `checks, ${server}, ${store} store, ${grouped(at.sessions)} sessions`, inTurns,
                () => measureChecks(bench, at, server, 'million'));
        }
    }
    add('bytes', many.database, 'bytes of a session', 0, () => measureBytes(bench, many.database));
    add('purge', many.database, 'purge', onLarge, () => measurePurge(bench, many.database));
    return list;
}

// Fills the installations, as many at a time as there are processors: nothing is measured meanwhile.
async function prepare({ settings, report }, list) {
    const installations = [...new Set(list.map(({ at }) => at))];
    const total = installations.reduce((sum, { sessions }) => sum + sessions, 0);
    report.say(`making ${installations.length} installations with ${grouped(total)} sessions`);
    await makeAll(installations, settings.cores);
}

async function measure(bench) {
    const { scratch, settings, report } = bench;
    const install = (name, options) => new Installation(scratch, settings, { name, ...options });
    const ofEach = (size, sessions) => Object.fromEntries([...new Set([...settings.stores, 'database'])]
        .map((store) => [store, install(`${size}-${store}`, { store, sessions })]));
    const list = plan(bench, {
        few: ofEach('few', settings.few),
        many: ofEach('many', settings.many),
        real: install('real', { sessions: settings.few, cheap: false }),
    });
    await prepare(bench, list);
    let left = list.reduce((sum, { seconds }) => sum + seconds, 0);
    for (const { what, seconds, run } of list) {
        report.say(`${what} (about ${Math.ceil(left / 60)} min left)`);
        await run();
        left -= seconds;
    }
}

runBench('bench', async (scratch) => {
    const settings = readSettings(process.env, process.argv.includes('--quick'));
    const report = new Report(settings);
    report.sayRounds();
    await measure({ scratch, settings, report });
    return report.finish(program('bench.json')) ? 0 : 1;
});
