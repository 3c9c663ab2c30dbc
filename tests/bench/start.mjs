// One check as a plain CGI process, from fork to exit, beside the cheapest program that there is.
import { interleave, run } from './measure.mjs';
import { median, ratios, spread } from './numbers.mjs';
import { program } from './scratch.mjs';
import { page } from './servers.mjs';
import { limits } from './verdict.mjs';

const times = 200;

export async function measureStart({ settings, report }, installation) {
    await installation.make();
    await installation.stop(); // whoever has only CGI has no `latchkey serve`
    const env = {
        PATH: '/usr/bin:/bin', LATCHKEY_CONFIG: installation.config, GATEWAY_INTERFACE: 'CGI/1.1',
        SERVER_PROTOCOL: 'HTTP/1.1', REQUEST_METHOD: 'GET', REQUEST_URI: page, SERVER_NAME: 'localhost',
        REMOTE_ADDR: '127.0.0.1', HTTP_COOKIE: installation.cookie,
    };
    const answer = await run(program('cgi-bin/gate'), [], { env });
    if (!answer.startsWith('Status: 204')) throw new Error(`the gate as CGI answers ${answer}`);
    const time = (name) => async () => {
        const output = await run(program('bench/start_time'), [times, program(name)], { env });
        const [taken, used] = output.trim().split(' ').map((us) => Number(us) / 1000);
        return { taken, used };
    };
    const results = await interleave(settings.rounds, { empty: time('bench/empty'), gate: time('cgi-bin/gate') });
    const column = (name, key) => results[name].map((result) => result[key]);
    report.table(`One check as a plain CGI process, ${installation.store} store`,
        ['', 'start to end, ms', 'ratio', 'processor ms'],
        [['empty', 'empty program'], ['gate', 'gate']].map(([name, title]) => [title, spread(column(name, 'taken'), 2),
            median(ratios(column(name, 'taken'), column('empty', 'taken'))).toFixed(2), spread(column(name, 'used'), 2)]));
    report.add({ name: `plain CGI check: ${installation.store} store`, limit: limits.start,
        values: column('gate', 'taken'), reference: column('empty', 'taken') });
}
