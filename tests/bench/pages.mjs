// Pages: the login form through nginx with kept connections, beside a page of the null responder.
import { request } from '../web/support/http.mjs';
import { startNull } from './installation.mjs';
import { interleave, load, warmUp } from './measure.mjs';
import { median, ratios, spread } from './numbers.mjs';
import { startServer } from './servers.mjs';
import { limits } from './verdict.mjs';

const target = '/auth/login';

export async function measurePages({ scratch, settings, report }, installation) {
    await installation.serve();
    const ours = await startServer('nginx', scratch, installation.runFolder, { ...settings, keepAlive: true });
    const bytes = Buffer.byteLength((await request(ours.port, target)).body);
    const nothing = await startNull(scratch, settings.loginWorkers, bytes);
    const sockets = installation.makeSockets(`pages-${nothing.pid}`, { login: nothing.socket });
    const reference = await startServer('nginx', scratch, sockets, settings);
    const seen = Buffer.byteLength((await request(reference.port, target)).body);
    if (seen !== bytes) throw new Error(`the null responder's page has ${seen} bytes instead of ${bytes}`);
    const list = installation.writeList('pages', [['GET', '', '']]);
    const measure = ({ port }) => () => load({ port, target, list, ...settings });
    for (const { port } of [reference, ours]) await load({ ...warmUp, port, target, list });
    const results = await interleave(settings.rounds, { reference: measure(reference), login: measure(ours) });
    await scratch.stop(nothing, ours, reference);

    const column = (name, key, divisor = 1) => results[name].map((result) => result[key] / divisor);
    report.table(`Pages: ${target} of ${bytes} bytes, nginx, ${settings.connections} connections`,
        ['', 'per second', 'ratio', 'p50 ms', 'p99 ms', 'slowest ms'],
        ['reference', 'login'].map((name) => [
            name, spread(column(name, 'perSecond')),
            median(ratios(column(name, 'perSecond'), column('reference', 'perSecond'))).toFixed(2),
            ...['p50_us', 'p99_us', 'max_us'].map((key) => spread(column(name, key, 1000), 2)),
        ]));
    report.add({ name: 'pages: login form, kept connections', limit: limits.pages,
        values: column('login', 'perSecond'), reference: column('reference', 'perSecond') });
    report.add({ name: 'slowest page with kept connections', limit: limits.stall, values: column('login', 'max_us', 1000) });
}
