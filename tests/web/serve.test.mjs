// latchkey serve: what it survives, how it changes over and ends, and when it refuses to start.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser, request } from './support/http.mjs';
import { Install, Service, alice, bob, isAlive, latchkey, until } from './support/install.mjs';
import { copyPrograms, countAll, countProcesses, findAll, findProgram, findWorkers, killAll } from './support/processes.mjs';
import { lighttpd, nginx, secret, servers } from './support/servers.mjs';

const names = ['login', 'logout', 'account', 'gate'];
const isRoot = process.getuid() === 0;

// Slow enough to be caught in the middle: the hash is brought up to this cost while a user signs in.
const slowHash = { memory: '128M', passes: '8' };

// Until a worker of the login program has filled the memory of a slow hash; returns its pid.
const findBusyWorker = (install) => until('a hash that is being made', () => findWorkers(install, 'login')
    .find((pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096 > 100e6));

const sessions = (install) => JSON.parse(install.do(['session', 'list', '--json']));

const counts = { login: 2, logout: 1, account: 1, gate: 3 };
const fixedWorkers = { workers: counts };

const allWorkersRun = (install) => until('all workers', () => names.every((name) =>
    findWorkers(install, name).length === countProcesses(name, counts[name])));

describe('while it runs', () => {
    let install;
    const webs = [];

    before(async () => {
        install = await new Install(fixedWorkers).init().serve();
        for (const server of servers) webs.push(await server.start(install));
    });
    after(async () => {
        for (const web of webs) await web.stop();
        assert.equal(await install?.close(), 0);
    });

    it('workers that crash come back, and sessions live on', async () => {
        await allWorkersRun(install);
        const browser = new Browser(webs[0].port);
        await browser.signIn(alice);
        for (const name of names) {
            const before = findWorkers(install, name);
            killAll(before);
            await until(`other workers of ${name}`, () => {
                const now = findWorkers(install, name);
                return now.length === countProcesses(name, counts[name]) && !now.some((pid) => before.includes(pid));
            });
        }
        await until('the log', () => /gate\[\d+\]: error: worker \d+ died of signal 9/.test(install.log));
        assert.equal((await browser.fetch('/private/page.html')).status, 200);
        assert.equal((await new Browser(webs[1].port).signIn(bob)).status, 303);
    });

    it('a program that crashes comes back on the same socket, and requests wait for it', async () => {
        const browser = new Browser(webs[0].port);
        await browser.signIn(alice);
        for (const name of ['gate', 'login']) {
            const former = findProgram(install, name);
            const inode = statSync(install.socket(name)).ino;
            killAll([former]);
            await until('its end', () => !isAlive(former));
            const answers = await Promise.all(webs.map(({ port }) =>
                request(port, '/private/page.html', { headers: { cookie: browser.cookie } })));
            assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
            assert.equal((await browser.fetch('/auth/login')).status, 303);
            await until(`a new ${name}`, () => findWorkers(install, name).length === countProcesses(name, counts[name]));
            assert.equal(statSync(install.socket(name)).ino, inode);
            await until('the log', () => install.log.includes(`${name} ended (signal 9); it is started again in 1 s`));
        }
    });

    for (const [i, server] of servers.entries()) {
        it(`workers of the gate that are killed under load let nobody pass behind ${server.name}`, async () => {
            let loading = true;
            const statuses = new Map();
            const load = async () => {
                while (loading) {
                    const answer = await request(webs[i].port, '/private/page.html').catch(() => ({ status: 0, body: '' }));
                    assert.ok(!answer.body.includes(secret));
                    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
                }
            };
            const loads = Array.from({ length: 6 }, load);
            for (let round = 0; round < 20; round++) {
                killAll(findWorkers(install, 'gate'));
                await sleep(30);
            }
            loading = false;
            await Promise.all(loads);
            assert.ok(statuses.get(303) > 0);
            for (const status of statuses.keys()) assert.ok([0, 303, 500, 502, 503].includes(status), String(status));
            await until('the gate', async () =>
                (await request(webs[i].port, '/private/page.html')).status === 303);
        });
    }
});

describe('in the middle of a sign-in', () => {
    let install;
    const webs = [];

    beforeEach(async () => {
        install = new Install(fixedWorkers).init();
        install.configure({ ...fixedWorkers, password: slowHash });
        await install.serve();
        for (const server of servers) webs.push(await server.start(install));
    });
    afterEach(async () => {
        for (const web of webs.splice(0)) await web.stop();
        await install.close();
    });

    it('a killed worker is an error for the browser, no session and no cookie', async () => {
        for (const [i, user] of [alice, bob].entries()) {
            const browser = new Browser(webs[i].port);
            const answer = browser.signIn(user).catch(() => undefined);
            killAll([await findBusyWorker(install)]);
            const got = await answer;
            assert.ok(got === undefined || [500, 502, 503].includes(got.status), String(got?.status));
            assert.deepEqual(got?.cookies ?? [], []);
            assert.deepEqual(sessions(install), []);
            assert.equal((await browser.fetch('/private/page.html')).status, 303);
        }
        const again = new Browser(webs[0].port);
        assert.equal((await again.signIn(alice)).status, 303);
        assert.equal((await again.fetch('/private/page.html')).status, 200);
    });

    for (const signal of ['SIGTERM', 'SIGINT']) {
        it(`${signal} lets it finish, removes the sockets and ends with 0`, async () => {
            const browser = new Browser(webs[0].port);
            const answer = browser.signIn(alice);
            await findBusyWorker(install);
            const all = findAll(install);
            assert.equal(await install.service.stop(signal), 0);
            const got = await answer;
            assert.equal(got.status, 303);
            assert.deepEqual(got.cookies.map((cookie) => cookie.split('=')[0]), ['latchkey', 'latchkey-device']);
            assert.deepEqual(all.filter(isAlive), []);
            assert.deepEqual(readdirSync(install.run).filter((name) => name.endsWith('.sock')), []);
            assert.equal(sessions(install).length, 1);
        });
    }

    it('SIGHUP lets it finish', async () => {
        const browser = new Browser(webs[0].port);
        const answer = browser.signIn(alice);
        await findBusyWorker(install);
        install.service.child.kill('SIGHUP');
        assert.equal((await answer).status, 303);
        assert.equal((await browser.fetch('/private/page.html')).status, 200);
        assert.equal(await install.service.stop(), 0);
    });
});

describe('on SIGHUP', () => {
    let install;
    const webs = [];
    const titles = () => Promise.all(webs.map(async ({ port }) => (await request(port, '/auth/login')).body));

    const reconfigure = (settings) => {
        install.configure({ ...fixedWorkers, ...settings });
        install.service.child.kill('SIGHUP');
    };
    const shows = (name) => until(`pages of ${name}`, async () =>
        (await titles()).every((body) => body.includes(name)));

    const settled = () => until('one set of programs', () =>
        findAll(install).length === countAll(counts));

    before(async () => {
        install = await new Install(fixedWorkers).init().serve();
        for (const server of servers) webs.push(await server.start(install));
    });
    after(async () => {
        for (const web of webs) await web.stop();
        assert.equal(await install?.close(), 0);
    });

    it('the configuration is read again, and under load not one request fails', async () => {
        await allWorkersRun(install);
        const former = names.map((name) => findProgram(install, name));
        let loading = true;
        let count = 0;
        const loop = async (work) => {
            for (; loading; count++) await work();
        };
        const loads = webs.flatMap(({ port }) => {
            const browser = new Browser(port);
            const signedIn = browser.signIn(alice);
            return [
                loop(async () => {
                    await signedIn;
                    const page = await browser.fetch('/private/page.html');
                    assert.equal(page.status, 200);
                    assert.ok(page.body.includes(secret));
                    assert.equal((await browser.fetch('/auth/account')).status, 200);
                }),
                loop(async () => assert.equal((await request(port, '/private/page.html')).status, 303)),
                loop(async () => {
                    const other = new Browser(port);
                    assert.equal((await other.signIn(bob)).status, 303);
                    assert.equal((await other.signOut()).headers.location, '/auth/login?signed-out');
                    assert.equal((await other.fetch('/auth/session')).status, 401);
                }),
            ];
        });
        const failed = Promise.all(loads).catch((error) => error);
        await sleep(200);
        reconfigure({ site: { name: 'Another name' } });
        await Promise.race([shows('Another name'), failed]);
        await until('the end of the former programs', () => !former.some(isAlive));
        await sleep(200);
        loading = false;
        const result = await failed;
        if (result instanceof Error) throw result;
        assert.ok(count > 100, String(count));
        assert.match(install.log, /the configuration is read again/);
        await allWorkersRun(install);
    });

    it('several in a row end in one set of programs with the last configuration', async () => {
        for (const name of ['First', 'Second', 'Third']) {
            reconfigure({ site: { name: `${name} in a row` } });
            await sleep(100);
        }
        await shows('Third in a row');
        await settled();
        for (const body of await titles()) assert.ok(body.includes('Third in a row'));
    });

    it('a bad configuration is told with file and line, and the old one stays', async () => {
        reconfigure({ site: { name: 'Good' } });
        await shows('Good');
        await settled();
        const before = names.map((name) => findProgram(install, name));
        reconfigure({ site: { name: 'Bad', retrun_hosts: 'example.org' } });
        await until('the complaint', () =>
            /latchkey\.conf:3: .*retrun_hosts.*return_hosts.*: the old configuration stays/.test(install.log));
        await sleep(1500);
        assert.deepEqual(names.map((name) => findProgram(install, name)), before);
        for (const body of await titles()) assert.ok(body.includes('Good'));
    });

    it('a template that does not parse keeps the old pages', async () => {
        reconfigure({ site: { name: 'Whole' } });
        await shows('Whole');
        await settled(); // else the former one, which still listens, is the old one that stays
        const templates = install.makeFolder('templates');
        writeFileSync(path.join(templates, 'login.mustache'), '<p>\n{{#problem}}\n');
        reconfigure({ site: { name: 'Broken', templates } });
        await until('the complaint', () => /login\.mustache:2: /.test(install.log) &&
            /the new login could not start: the old one stays/.test(install.log));
        await sleep(1500);
        for (const body of await titles()) assert.ok(body.includes('Whole'));
        writeFileSync(path.join(templates, 'login.mustache'), '<p>mended</p>');
        reconfigure({ site: { name: 'Mended', templates } });
        await shows('<p>mended</p>');
        reconfigure({});
        await shows('Test &amp; Site');
    });
});

describe('the run directory', () => {
    let install;
    beforeEach(() => { install = new Install(fixedWorkers).init(); });
    afterEach(() => install.close());

    it('serves one latchkey serve at a time', async () => {
        await install.serve();
        const second = install.try(['serve']);
        assert.equal(second.status, 1);
        assert.match(second.stderr, /another latchkey serve runs with the run directory .*; stop it first, or send it SIGHUP/);
        assert.equal(second.stderr.trim().split('\n').length, 1);
        const web = await nginx.start(install);
        assert.equal((await new Browser(web.port).signIn(alice)).status, 303);
        await web.stop();
        assert.equal(await install.service.stop(), 0);
    });

    it('is left by all programs when serve is killed, and taken over by the next one', async () => {
        await install.serve();
        const web = await lighttpd.start(install);
        const browser = new Browser(web.port);
        await browser.signIn(alice);
        const all = findAll(install);
        await install.service.stop('SIGKILL');
        await until('the end of the programs', () => !all.some(isAlive), 3000);
        assert.deepEqual(names.filter((name) => existsSync(install.socket(name))), names);
        const orphaned = await browser.fetch('/private/page.html');
        assert.ok(orphaned.status >= 500 && !orphaned.body.includes(secret));
        await install.serve();
        await until('the gate', async () => (await browser.fetch('/private/page.html')).status === 200);
        assert.equal(await install.service.stop(), 0);
        await web.stop();
    });

    it('keeps a socket that another program listens on, and a file that is none', async () => {
        const other = net.createServer().listen(install.socket('gate'));
        await until('the other program', () => existsSync(install.socket('gate')));
        const busy = new Service(latchkey, ['serve'], { env: install.env });
        assert.equal(await busy.ended, 1);
        assert.match(busy.output, /gate\.sock is in use by another program; stop that first/);
        assert.ok(existsSync(install.socket('gate')));
        assert.ok(!existsSync(install.socket('login')));
        await new Promise((resolve) => { other.close(resolve); });
        writeFileSync(install.socket('gate'), 'kept');
        const refused = install.try(['serve']);
        assert.equal(refused.status, 1);
        assert.match(refused.stderr, /gate\.sock is there and is no socket; remove it/);
        assert.equal(readFileSync(install.socket('gate'), 'utf8'), 'kept');
    });

    it('may be missing, but not too long', async () => {
        rmSync(install.run, { recursive: true });
        await install.serve();
        assert.equal(statSync(install.run).mode & 0o777, 0o750);
        for (const name of names) assert.equal(statSync(install.socket(name)).mode & 0o777, 0o660);
        assert.equal(await install.service.stop(), 0);
        install.configure({ state: { run_directory: path.join(install.folder, 'r'.repeat(100)) } });
        const refused = install.try(['serve']);
        assert.equal(refused.status, 1);
        assert.match(refused.stderr, /state\.run_directory: .*r{100} is too long for sockets/);
    });

    it('is served also where standard descriptors are closed', async () => {
        install.service = new Service('sh', ['-c', `exec "$0" serve <&- 2>"$1/log" >&-`, latchkey, install.folder],
            { env: install.env });
        const log = path.join(install.folder, 'log');
        await until('ready', () => existsSync(log) && readFileSync(log, 'utf8').includes('ready:'));
        const web = await nginx.start(install);
        const browser = new Browser(web.port);
        assert.equal((await browser.signIn(alice)).status, 303);
        assert.equal((await browser.fetch('/private/page.html')).status, 200);
        await browser.signOut();
        await web.stop();
        assert.equal(await install.service.stop(), 0);
    });
});

describe('a start is refused with one clear line', () => {
    let install;
    beforeEach(() => { install = new Install(fixedWorkers).init(); });
    afterEach(() => install.close());

    const file = (name) => path.join(install.state, name);
    const sql = (text) => {
        const result = spawnSync('sqlite3', [file('latchkey.db'), text], { encoding: 'utf8' });
        assert.equal(result.status, 0, result.stderr);
    };
    const templates = (name, text) => {
        const folder = install.makeFolder('templates');
        writeFileSync(path.join(folder, name), text);
        install.configure({ site: { templates: folder } });
    };

    for (const [what, spoil, complaint] of [
        ['the secret is open to others', () => chmodSync(file('secret'), 0o644), /state\/secret has mode 0644.*; chmod 600 .*state\/secret/],
        ['the secret is missing', () => rmSync(file('secret')), /secret file .*state\/secret is missing; make it with `latchkey init`/],
        ['the secret is cut', () => writeFileSync(file('secret'), readFileSync(file('secret')).subarray(0, 20)), /state\/secret is empty or cut; bring the file back/],
        ['the secret is a link', () => {
            renameSync(file('secret'), file('elsewhere'));
            spawnSync('ln', ['-s', 'elsewhere', file('secret')]);
        }, /state\/secret is a symbolic link; put the file itself there/],
        ['a key is misspelt', () => install.configure({ site: { nmae: 'x' } }), /latchkey\.conf:3: .*nmae.*name/],
        ['a section is misspelt', () => install.configure({ sessoin: { idle: '1h' } }), /latchkey\.conf:\d+: .*sessoin.*session/],
        ['a value is wrong', () => install.configure({ session: { idle: 'long' } }), /latchkey\.conf:\d+: .*idle.*long/],
        ['the configuration is missing', () => rmSync(install.config), /latchkey\.conf: .*no such file/i],
        ['a template is broken', () => templates('login.mustache', '<p>\n\n{{/nothing}}\n'), /login\.mustache:3: /],
        ['the style would end its element', () => templates('style.css', 'p { }\n</style>\n'), /style\.css holds .*"<\/"/],
        ['the templates are missing', () => install.configure({ site: { templates: '/nowhere' } }), /\/nowhere/],
        ['the database is of a newer program', () => sql('PRAGMA user_version = 99'), /schema 99 of a newer program, this one knows \d+; update this program/],
        ['the database is of an older program', () => sql('PRAGMA user_version = 0'), /schema 0, this program needs \d+; run `latchkey migrate`/],
        ['the user does not exist', () => install.configure({ state: { user: 'nobody-of-that-name' } }), isRoot ? /state\.user: there is no user nobody-of-that-name; make it with: adduser/ : null],
        ['the group does not exist', () => install.configure({ state: { group: 'no-group-of-that-name' } }), /state\.group: there is no group no-group-of-that-name; make it with: addgroup/],
    ]) {
        it(what, { skip: complaint === null && 'needs root' }, () => {
            spoil();
            const refused = install.try(['serve']);
            assert.equal(refused.status, 1, refused.stderr);
            assert.match(refused.stderr, complaint);
            // What is secret stays so.
            const kept = existsSync(file('secret')) ? readFileSync(file('secret'), 'utf8').trim().slice(9) : '';
            assert.ok(kept === '' || !refused.stderr.includes(kept));
            assert.deepEqual(existsSync(install.run) ? readdirSync(install.run).filter((name) => name.endsWith('.sock')) : [], []);
        });
    }

    it('but a database that is away is waited for', async () => {
        renameSync(file('latchkey.db'), file('away.db'));
        await install.serve();
        const web = await nginx.start(install);
        const browser = new Browser(web.port);
        assert.equal((await browser.signIn(alice)).status, 503);
        renameSync(file('away.db'), file('latchkey.db'));
        assert.equal((await browser.signIn(alice)).status, 303);
        await web.stop();
        assert.equal(await install.service.stop(), 0);
    });
});

describe('started as root', { skip: !isRoot && 'needs root' }, () => {
    let install;
    let command;
    let web;

    before(async () => {
        // Leaks cannot be looked for: the programs forbid that they are looked at.
        process.env.ASAN_OPTIONS = `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0`;
        install = new Install({ ...fixedWorkers, state: { user: 'nobody', group: 'www-data' } });
        command = copyPrograms(install);
        install.env.ASAN_OPTIONS = process.env.ASAN_OPTIONS;
        install.init();
        await install.serve({ command });
        web = await nginx.start(install);
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    const id = (what, name) => Number(spawnSync('getent', [what, name], { encoding: 'utf8' }).stdout.split(':')[2]);

    it('all processes are the user, with nothing of root left', async () => {
        await allWorkersRun(install);
        const nobody = id('passwd', 'nobody');
        const all = findAll(install);
        assert.equal(all.length, countAll(counts));
        for (const pid of all) {
            const status = readFileSync(`/proc/${pid}/status`, 'utf8');
            assert.match(status, new RegExp(`^Uid:(\t${nobody}){4}$`, 'm'));
            const [, gids] = /^Gid:\t(.*)$/m.exec(status);
            const [, groups] = /^Groups:\t(.*)$/m.exec(status);
            assert.ok(!gids.split('\t').includes('0') && !groups.split(' ').includes('0'), `${gids}; ${groups}`);
            assert.match(status, /^CapEff:\t0+$/m);
            assert.match(status, /^CapPrm:\t0+$/m);
        }
    });

    it('the sockets are open to the web server\'s group and nobody else', () => {
        const folder = statSync(install.run);
        assert.equal(folder.mode & 0o777, 0o750);
        assert.equal(folder.gid, id('group', 'www-data'));
        for (const name of names) {
            const socket = statSync(install.socket(name));
            assert.equal(socket.mode & 0o777, 0o660);
            assert.equal(socket.uid, id('passwd', 'nobody'));
            assert.equal(socket.gid, id('group', 'www-data'));
        }
    });

    it('the state belongs to the user, private, also what root\'s commands touch while it runs', async () => {
        const browser = new Browser(web.port);
        assert.equal((await browser.signIn(alice)).status, 303);
        install.addUser({ name: 'dora', password: 'made while the programs run' });
        install.do(['secret', 'rotate']);
        for (const name of readdirSync(install.state)) {
            const found = statSync(path.join(install.state, name));
            assert.equal(found.uid, id('passwd', 'nobody'), name);
            assert.equal(found.mode & 0o077, 0, name);
        }
        assert.equal((await browser.fetch('/private/page.html')).status, 200);
        assert.equal((await new Browser(web.port).signIn({ name: 'dora', password: 'made while the programs run' })).status, 303);
        install.do(['session', 'revoke-all']);
        assert.equal((await browser.fetch('/private/page.html')).status, 303);
    });

    it('the sockets are removed at the end, and the next start finds its place', async () => {
        const browser = new Browser(web.port);
        await browser.signIn(alice);
        assert.equal(await install.service.stop(), 0);
        assert.deepEqual(readdirSync(install.run).filter((name) => name.endsWith('.sock')), []);
        await install.serve({ command });
        assert.equal((await browser.fetch('/private/page.html')).status, 200);
    });

    it('the user may run the next one without root', async () => {
        assert.equal(await install.service.stop(), 0);
        const own = { uid: id('passwd', 'nobody'), gid: id('group', 'www-data') };
        install.service = new Service(command, ['serve'], { env: install.env, ...own });
        await until('ready', () => install.log.includes('ready:') || !install.service.isRunning);
        assert.match(install.log, /ready:/);
        assert.equal((await new Browser(web.port).signIn(alice)).status, 303);
    });
});
