// The same files, started in each of the ways that web servers know.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { askFastcgi, required, runCgi, sanitizers } from './support/direct.mjs';
import { Browser, encodeForm, formFields, request } from './support/http.mjs';
import { Install, Service, alice, programs, until } from './support/install.mjs';
import { deploy, lighttpd, nginx, secret, servers } from './support/servers.mjs';

const names = ['login', 'logout', 'account', 'gate'];

// Starts each program with spawn-fcgi, which leaves it in the foreground. Returns them.
async function spawnAll(install, wanted) {
    const services = wanted.map((name) => new Service('spawn-fcgi',
        ['-n', '-s', install.socket(name), '-M', '0660', '--', path.join(programs, name)], { env: install.env }));
    await until('the sockets of spawn-fcgi', () => wanted.every((name) => existsSync(install.socket(name))));
    return services;
}

async function stopAll(services) {
    for (const service of services) {
        assert.equal(await service.stop(), 0, service.output);
        assert.doesNotMatch(service.output, /Sanitizer|runtime error/);
    }
}

const quote = (entries) => Object.entries(entries).map(([name, value]) => `"${name}" => "${value}"`).join(', ');

// How lighttpd is told to start a program itself.
const binPath = (install, program) => `"bin-path" => "${path.join(programs, program)}", "max-procs" => 1,
    "bin-environment" => ( ${quote({ LATCHKEY_CONFIG: install.config, ...sanitizers() })} )`;

function writeProtect(install) {
    const file = path.join(install.folder, 'protect.conf');
    writeFileSync(file, readFileSync(deploy('lighttpd/latchkey-protect.conf'), 'utf8')
        .replace('"mode" => "authorizer"', `"mode" => "authorizer",\n    ${binPath(install, 'gate')}`));
    return file;
}

const binPathPages = (install) => `
server.modules += ( "mod_setenv", "mod_fastcgi" )
fastcgi.server += ( ${Object.entries({ login: 'login', logout: 'logout', account: 'account', session: 'account' })
    .map(([page, program]) => `"/auth/${page}" => (( "socket" => "${install.run}/own-${page}.sock",
    "check-local" => "disable", ${binPath(install, program)} ))`).join(',\n')} )`;

// The pages as CGI programs; the gate, for which lighttpd knows FastCGI only, from spawn-fcgi.
const cgiPages = (install) => `
server.modules += ( "mod_setenv", "mod_fastcgi", "mod_alias", "mod_cgi" )
alias.url = ( "/auth/login" => "${programs}/login", "/auth/logout" => "${programs}/logout",
    "/auth/account" => "${programs}/account", "/auth/session" => "${programs}/account" )
$HTTP["url"] =~ "^/auth/" {
    cgi.assign = ( "" => "" )
    setenv.set-environment = ( ${quote({ LATCHKEY_CONFIG: install.config, ...sanitizers() })} )
}`;

const carriers = [
    ...servers.map((server) => ({
        name: `latchkey serve behind ${server.name}`,
        start: async (install) => {
            await install.serve();
            return { web: await server.start(install), stop: async () => assert.equal(await install.service.stop(), 0) };
        },
    })),
    ...servers.map((server) => ({
        name: `spawn-fcgi behind ${server.name}`,
        start: async (install) => {
            const services = await spawnAll(install, names);
            return { web: await server.start(install), stop: () => stopAll(services) };
        },
    })),
    {
        name: 'lighttpd\'s own bin-path',
        start: async (install) => ({
            web: await lighttpd.start(install, { pages: binPathPages(install), protect: writeProtect(install) }),
            stop: () => {},
        }),
    },
    {
        name: 'plain CGI under lighttpd',
        isCgi: true,
        start: async (install) => {
            const services = await spawnAll(install, ['gate']);
            return { web: await lighttpd.start(install, { pages: cgiPages(install) }), stop: () => stopAll(services) };
        },
    },
];

for (const carrier of carriers) {
    describe(`started by ${carrier.name}`, () => {
        let install;
        let running;
        let port;

        before(async () => {
            install = new Install().init();
            running = await carrier.start(install);
            ({ port } = running.web);
        });
        after(async () => {
            await running?.web.stop();
            await running?.stop();
            await install?.close();
            assert.doesNotMatch(running.web.output, /Sanitizer|runtime error/);
        });

        it('a browser signs in, is known to pages and programs, signs out, and its cookie is dead', async () => {
            const browser = new Browser(port);
            const first = await browser.fetch('/private/page.html?a=1');
            assert.equal(first.status, 303);
            assert.equal(first.headers.location, '/auth/login?next=%2Fprivate%2Fpage.html%3Fa%3D1');
            const signedIn = await browser.submit(first.headers.location,
                { username: alice.name, password: alice.password });
            assert.equal(signedIn.status, 303);
            assert.equal(signedIn.headers.location, '/private/page.html?a=1');
            assert.ok((await browser.fetch('/private/page.html')).body.includes(secret));
            assert.match((await browser.fetch('/auth/account')).body, /Alice Example/);
            assert.equal(JSON.parse((await browser.fetch('/auth/session')).body).user, 'alice');
            const copied = { headers: { cookie: browser.cookie } };
            assert.equal((await browser.signOut()).headers.location, '/auth/login?signed-out');
            assert.equal((await request(port, '/private/page.html', copied)).status, 303);
            assert.equal((await request(port, '/auth/session', copied)).status, 401);
        });

        it('a wrong password, a foreign form, a large and a wrong body are refused', async () => {
            const browser = new Browser(port);
            const wrong = await browser.submit('/auth/login', { username: 'alice', password: 'wrong' });
            assert.equal(wrong.status, 403);
            assert.match(wrong.body, /do not go together/);
            assert.equal((await browser.post('/auth/login',
                { csrf: 'x', username: alice.name, password: alice.password })).status, 403);
            assert.equal((await browser.post('/auth/login', 'a'.repeat(17000))).status, 413);
            assert.equal((await browser.post('/auth/login', '{}', { 'content-type': 'application/json' })).status, 415);
            assert.equal((await browser.fetch('/auth/login', { method: 'PUT' })).status, 405);
            assert.equal((await browser.fetch('/auth/login/more')).status, 404);
            assert.equal((await browser.fetch('/private/page.html')).status, 303);
        });

        it('HEAD has the headers of GET and no body', async () => {
            const answer = await request(port, '/auth/login', { method: 'HEAD' });
            assert.equal(answer.status, 200);
            assert.equal(answer.body, '');
            assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
        });

        it('a query cannot become arguments, nor a header the environment of the program', async () => {
            const plain = await request(port, '/auth/login');
            for (const query of ['-c+/etc/passwd', '-c/etc/passwd', '-h', '--help', '%2dc+/etc/passwd', '-d+x%3dy']) {
                const answer = await request(port, `/auth/login?${query}`);
                assert.equal(answer.status, 200, query);
                assert.match(answer.body, /name="password"/);
            }
            const harmless = await request(port, '/auth/login',
                { headers: { proxy: 'http://192.0.2.1/', 'ld-preload': '/nowhere.so', 'latchkey-config': '/etc/passwd' } });
            assert.equal(harmless.status, 200);
            const masked = ({ body }) => body.replace(/name="csrf" value="[^"]*"/, '');
            assert.equal(masked(harmless), masked(plain));
        });
    });
}

describe('a program run as CGI', () => {
    let install;
    let cookie;

    before(async () => {
        install = new Install().init();
        // Signs in through CGI alone.
        const page = runCgi(install, 'login', { ...required, REQUEST_URI: '/auth/login' });
        assert.equal(page.status, 200, page.log);
        const anonymous = page.headers['set-cookie'].split(';')[0];
        const body = encodeForm({ ...formFields(page.body), username: alice.name, password: alice.password });
        const signedIn = runCgi(install, 'login', {
            ...required, REQUEST_METHOD: 'POST', REQUEST_URI: '/auth/login', HTTP_COOKIE: anonymous,
            CONTENT_TYPE: 'application/x-www-form-urlencoded', CONTENT_LENGTH: String(body.length),
        }, { input: body });
        assert.equal(signedIn.status, 303, signedIn.log);
        [cookie] = signedIn.headers['set-cookie'].split(';');
    });
    after(() => install?.close());

    const gate = (variables, options) => runCgi(install, 'gate', { ...required, ...variables }, options);

    it('lets a session pass and nobody else', () => {
        const pass = gate({ HTTP_COOKIE: cookie });
        assert.equal(pass.status, 204);
        assert.equal(pass.headers['remote-user'], 'alice');
        assert.equal(pass.headers['remote-groups'], 'staff');
        assert.equal(pass.exit, 0);
        assert.equal(gate({}).status, 401);
        assert.equal(gate({ HTTP_COOKIE: `${cookie}x` }).status, 401);
        assert.equal(gate({ HTTP_COOKIE: cookie, LATCHKEY_GROUPS: 'admins' }).status, 403);
    });

    it('does not grant while a required variable is missing', () => {
        for (const name of Object.keys(required)) {
            for (const value of [undefined, '']) {
                const variables = { ...required, HTTP_COOKIE: cookie, [name]: value };
                if (value === undefined) delete variables[name];
                const answer = runCgi(install, 'gate', variables);
                assert.equal(answer.status, 400, `${name}=${value}`);
                assert.equal(answer.headers['remote-user'], undefined);
            }
        }
        assert.equal(runCgi(install, 'gate', {}).status, 400);
        assert.equal(runCgi(install, 'login', {}).status, 400);
    });

    it('ignores its arguments', () => {
        const other = path.join(install.folder, 'other.conf');
        writeFileSync(other, 'rubbish');
        for (const args of [['-c', other], ['-c', '/etc/passwd'], ['--help'], ['-x', ''], [''], ['a', 'b', 'c']]) {
            assert.equal(gate({ HTTP_COOKIE: cookie }, { args }).status, 204);
            assert.equal(gate({}, { args }).status, 401);
        }
    });

    it('is not led by variables that it does not know', () => {
        const strange = {
            HTTP_PROXY: 'http://192.0.2.1/', HTTP_LD_PRELOAD: '/nowhere.so', LD_LIBRARY_PATH: '/nowhere',
            LD_BIND_NOW: '1', TMPDIR: '/nowhere', SQLITE_TMPDIR: '/nowhere', IFS: '/', LC_ALL: 'tr_TR.UTF-8',
            MALLOC_PERTURB_: '165', REMOTE_USER: 'root', HTTP_REMOTE_USER: 'root', AUTH_TYPE: 'Basic',
            HTTP_AUTHORIZATION: 'Basic cm9vdDpyb290', HTTP_X_ORIGINAL_URI: '/public/', HTTP_X_FORWARDED_USER: 'root',
            FCGI_ROLE: 'AUTHORIZER', FCGI_WEB_SERVER_ADDRS: '192.0.2.9', PATH: '/nowhere', HOME: '/nowhere',
        };
        const pass = gate({ ...strange, HTTP_COOKIE: cookie });
        assert.equal(pass.status, 204, pass.log);
        assert.equal(pass.headers['remote-user'], 'alice');
        const nobody = gate(strange);
        assert.equal(nobody.status, 401);
        assert.equal(nobody.headers['remote-user'], undefined);
    });

    it('refuses 5,000 variables and a long one without a grant', () => {
        const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`HTTP_X_${i}`, 'y']));
        for (const variables of [many, { HTTP_LONG: 'x'.repeat(100000) }]) {
            const answer = gate({ ...variables, HTTP_COOKIE: cookie });
            assert.equal(answer.status, 413);
            assert.equal(answer.headers['remote-user'], undefined);
            assert.equal(runCgi(install, 'login', { ...required, ...variables, REQUEST_URI: '/auth/login' }).status, 413);
        }
    });

    it('harms nothing with closed standard descriptors', async () => {
        const database = path.join(install.state, 'latchkey.db');
        const run = async (redirections, program, variables) => {
            const service = new Service('sh', ['-c', `exec "$0" ${redirections}`, path.join(programs, program)],
                { env: { LATCHKEY_CONFIG: install.config, ...sanitizers(), ...required, ...variables } });
            return { exit: await service.ended, output: service.output };
        };
        for (const program of ['gate', 'login', 'account']) {
            for (const redirections of ['<&-', '<&- >&-', '>&-', '<&- >&- 2>&-', '2>&-']) {
                const result = await run(redirections, program, { HTTP_COOKIE: cookie, REQUEST_URI: '/auth/login' });
                assert.ok([0, 1].includes(result.exit), `${program} ${redirections}: ${result.exit} ${result.output}`);
                if (/(^| )>&-/.test(redirections)) {
                    assert.doesNotMatch(result.output, /Status:/);
                } else {
                    assert.match(result.output, /Status: /);
                }
            }
        }
        assert.equal(readFileSync(database).toString('latin1', 0, 15), 'SQLite format 3');
        assert.equal(gate({ HTTP_COOKIE: cookie }).status, 204);
        // A form that never comes is no form.
        const posted = await run('<&-', 'login', {
            REQUEST_METHOD: 'POST', REQUEST_URI: '/auth/login', CONTENT_LENGTH: '10', HTTP_COOKIE: cookie,
            CONTENT_TYPE: 'application/x-www-form-urlencoded',
        });
        assert.match(posted.output, /Status: 400 /);
    });

    it('grants nothing where it cannot start', () => {
        const refused = runCgi(install, 'gate', { ...required, HTTP_COOKIE: cookie, LATCHKEY_CONFIG: '/etc/passwd' });
        assert.notEqual(refused.exit, 0);
        assert.notEqual(refused.status, 204);
        assert.equal(refused.headers['remote-user'], undefined);
    });
});

describe('the gate asked at its socket', () => {
    let install;
    let services;
    let cookie;

    before(async () => {
        install = new Install().init();
        services = await spawnAll(install, names);
        const web = await nginx.start(install);
        const browser = new Browser(web.port);
        await browser.signIn(alice);
        ({ cookie } = browser);
        await web.stop();
    });
    after(async () => {
        await stopAll(services ?? []);
        await install?.close();
    });

    for (const [role, pass, identity] of [['responder', 204, 'remote-user'], ['authorizer', 200, 'variable-remote_user']]) {
        it(`grants nothing as ${role} while a required parameter is missing`, async () => {
            const good = { ...required, HTTP_COOKIE: cookie };
            const granted = await askFastcgi(install.socket('gate'), good, role);
            assert.equal(granted.status, pass);
            assert.equal(granted.headers[identity], 'alice');
            for (const name of Object.keys(required)) {
                for (const value of [undefined, '']) {
                    const variables = { ...good, [name]: value };
                    if (value === undefined) delete variables[name];
                    const answer = await askFastcgi(install.socket('gate'), variables, role);
                    assert.equal(answer.status, 400, `${name}=${value}`);
                    assert.equal(answer.headers[identity], undefined);
                }
            }
            for (const variables of [{}, { HTTP_COOKIE: cookie }]) {
                const answer = await askFastcgi(install.socket('gate'), variables, role);
                assert.ok([0, 400].includes(answer.status));
                assert.equal(answer.headers[identity], undefined);
            }
        });
    }
});
