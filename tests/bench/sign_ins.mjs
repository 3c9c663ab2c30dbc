// Sign-ins at the price that passwords have: how many a second, and what becomes of the checks
// while they are flooded.
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../web/support/http.mjs';
import { interleave, load, run } from './measure.mjs';
import { median, ratios, spread } from './numbers.mjs';
import { program } from './scratch.mjs';
import { page, startServer } from './servers.mjs';
import { openForm, signInBody } from './traffic.mjs';
import { limits } from './verdict.mjs';

const target = '/auth/login';

async function start({ scratch, settings }, installation) {
    await installation.serve();
    const server = await startServer('nginx', scratch, installation.runFolder, settings);
    const form = await openForm(server.port);
    const answer = await request(server.port, target, { method: 'POST', body: signInBody(form, 0),
        headers: { cookie: form.cookie, 'content-type': 'application/x-www-form-urlencoded' } });
    if (answer.status !== 303) throw new Error(`a sign-in is answered with ${answer.status}`);
    const list = installation.writeList('sign-ins', Array.from({ length: Math.min(installation.sessions, 1000) },
        (_, i) => ['POST', form.cookie, signInBody(form, i)]));
    return { server, list };
}

export async function measureSignIns(bench, installation) {
    const { scratch, settings: { rounds, seconds, cores }, report } = bench;
    const { server, list } = await start(bench, installation);
    const signIn = () => load({ port: server.port, target, list, seconds, connections: 2 * cores });
    await signIn();
    const hashWith = (name) => async () => Number(await run(program(`bench/${name}`), [cores, seconds], { env: installation.env }));
    const { hash, huge, signIns } = await interleave(rounds, {
        hash: hashWith('hash_rate'),
        huge: hashWith('huge_hash_rate'),
        signIns: async () => (await signIn()).perSecond,
    });
    await scratch.stop(server);
    report.table(`Sign-ins, argon2id of 19 MiB and 2 passes, ${cores} processors`, ['', 'per second', 'ratio'], [
        ['bare hash', hash], ['bare hash in huge pages', huge], ['sign-in', signIns],
    ].map(([what, values]) => [what, spread(values, 1), median(ratios(values, hash)).toFixed(2)]));
    report.add({ name: 'sign-ins', limit: limits.signIns, values: signIns, reference: hash });
}

export async function measureFlood(bench, installation) {
    const { scratch, settings: { rounds, seconds, cores, connections }, report } = bench;
    const { server, list } = await start(bench, installation);
    const check = () => load({ port: server.port, target: page, list: installation.list, seconds, connections: 1 });
    const results = await interleave(rounds, {
        quiet: check,
        flooded: async () => {
            let end;
            const stopWhen = new Promise((resolve) => { end = resolve; });
            const flood = load({ port: server.port, target, list, seconds: 10 * seconds + 60,
                connections: Math.max(connections, 4 * cores), stopWhen });
            const checked = sleep(500).then(check).finally(end);
            return (await Promise.all([checked, flood]))[0];
        },
    });
    await scratch.stop(server);
    const column = (name, key) => results[name].map((result) => result[key] / 1000);
    report.table('Checks on one connection while sign-ins are flooded',
        ['', 'p50 ms', 'p99 ms', 'ratio of p99', 'slowest ms'],
        ['quiet', 'flooded'].map((name) => [name, spread(column(name, 'p50_us'), 2), spread(column(name, 'p99_us'), 2),
            median(ratios(column(name, 'p99_us'), column('quiet', 'p99_us'))).toFixed(2),
            spread(column(name, 'max_us'), 1)]));
    report.add({ name: 'p99 of checks while sign-ins are flooded', limit: limits.flood,
        values: column('flooded', 'p99_us'), reference: column('quiet', 'p99_us') });
}
