// The same files, however they are started: from spawn-fcgi, from lighttpd's bin-path, as plain CGI.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Install, Service, alice, programs, until } from './support/install.mjs';
import { Browser, request } from './support/http.mjs';
import { lighttpd, secret } from './support/servers.mjs';

const names = ['login', 'logout', 'account', 'gate'];

async function wholeRound(port) {
    const browser = new Browser(port);
    const first = await browser.fetch('/private/page.html');
    assert.equal(first.status, 303);
    const signedIn = await browser.submit(first.headers.location,
        { username: alice.name, password: alice.password });
    assert.equal(signedIn.headers.location, '/private/page.html');
    assert.ok((await browser.fetch('/private/page.html')).body.includes(secret));
    assert.equal(JSON.parse((await browser.fetch('/auth/session')).body).user, alice.name);
    const copied = browser.cookie;
    assert.equal((await browser.signOut()).status, 303);
    const replayed = await request(port, '/private/page.html', { headers: { cookie: copied } });
    assert.equal(replayed.status, 303);
    assert.ok(!replayed.body.includes(secret));
}

describe('started by spawn-fcgi', () => {
    let install;
    let web;
    const services = [];

    before(async () => {
        install = new Install().init();
        for (const name of names) {
            services.push(new Service('spawn-fcgi',
                ['-n', '-s', install.socket(name), path.join(programs, name)], { env: install.env }));
            await until(`${name}.sock`, () => existsSync(install.socket(name)));
        }
        web = await lighttpd.start(install);
    });
    after(async () => {
        await web?.stop();
        for (const service of services) assert.equal(await service.stop(), 0, service.output);
        await install?.close();
    });

    it('the programs serve the whole round', () => wholeRound(web.port));
});

describe('started by lighttpd', () => {
    let install;
    let web;
    const place = (name, key, more = '') => `"${key}" => ((
        "bin-path" => "${path.join(programs, name)}",
        "socket" => var.latchkey_run + "/${path.basename(key) || name}.sock",
        "max-procs" => 1, "check-local" => "disable",
        "bin-environment" => ( "LATCHKEY_CONFIG" => "${install.config}" ) ${more}))`;

    before(async () => {
        install = new Install().init();
        // lighttpd adds the number of the process to the names of sockets that it makes.
        symlinkSync(`${install.socket('gate')}-0`, install.socket('gate'));
        web = await lighttpd.start(install, {
            pages: `
server.modules += ( "mod_setenv", "mod_fastcgi" )
fastcgi.server = ( ${place('login', '/auth/login')}, ${place('logout', '/auth/logout')},
    ${place('account', '/auth/account')}, ${place('account', '/auth/session')} )
$HTTP["url"] =~ "^/gate-starts-here" { fastcgi.server = ( ${place('gate', '/', ', "mode" => "authorizer"')} ) }
`,
        });
    });
    after(async () => {
        await web?.stop();
        await install?.close();
    });

    it('the programs serve the whole round', () => wholeRound(web.port));
});

describe('started as plain CGI', () => {
    let install;
    let web;

    before(async () => {
        // The gate of this site still is FastCGI: lighttpd has no authorizer by CGI.
        install = await new Install().init().serve();
        install.makeFolder('site');
        symlinkSync(programs, path.join(install.makeFolder('site', 'programs'), 'bin'));
        web = await lighttpd.start(install, {
            pages: `
server.modules += ( "mod_rewrite", "mod_setenv", "mod_fastcgi" )
var.bin = "/programs/bin"
url.rewrite-once = ( "^/auth/(login|logout|account)(\\?.*)?$" => var.bin + "/$1$2",
    "^/auth/session$" => var.bin + "/account" )
`,
            extra: `
$HTTP["url"] =~ "^/programs/bin/" {
    cgi.assign = ( "" => "" )
    setenv.set-environment = ( "LATCHKEY_CONFIG" => "${install.config}" )
}
`,
        });
    });
    after(async () => {
        await web?.stop();
        await install?.close();
    });

    it('the programs serve the whole round', () => wholeRound(web.port));

    it('a query is never taken for arguments', async () => {
        const answer = await request(web.port, '/auth/login?-c+/etc/passwd');
        assert.equal(answer.status, 200);
    });

    it('an address in the environment of the client changes nothing', async () => {
        const answer = await request(web.port, '/auth/login', { headers: { proxy: 'http://evil.test/' } });
        assert.equal(answer.status, 200);
    });
});

describe('the gate run by hand', () => {
    const complete = {
        REQUEST_METHOD: 'GET', REQUEST_URI: '/private/', REMOTE_ADDR: '192.0.2.1',
        SERVER_PROTOCOL: 'HTTP/1.1', GATEWAY_INTERFACE: 'CGI/1.1',
    };
    let install;
    const run = (env) => spawnSync(path.join(programs, 'gate'), [],
        { env: { LATCHKEY_CONFIG: install.config, ...env }, encoding: 'utf8', input: '' });

    before(() => { install = new Install().init(); });
    after(() => install.close());

    it('answers with Status first', () => {
        const answer = run(complete);
        assert.equal(answer.status, 0);
        assert.match(answer.stdout, /^Status: 401 Unauthorized\r\n/);
        assert.match(answer.stdout, /\r\nLocation: \/auth\/login\?next=%2Fprivate%2F\r\n/);
    });

    for (const name of ['REQUEST_METHOD', 'REQUEST_URI', 'REMOTE_ADDR', 'SERVER_PROTOCOL']) {
        it(`refuses a request without ${name}`, () => {
            const { [name]: left, ...rest } = complete;
            assert.match(run(rest).stdout, /^Status: 400 /);
            assert.match(run({ ...rest, [name]: '' }).stdout, /^Status: 400 /);
        });
    }

    it('refuses to run with a secret that others can read', () => {
        const file = path.join(install.state, 'secret');
        spawnSync('chmod', ['0644', file]);
        const answer = run(complete);
        spawnSync('chmod', ['0600', file]);
        assert.notEqual(answer.status, 0);
        assert.doesNotMatch(answer.stdout, /^Status: 2/);
        assert.match(answer.stderr, /chmod/);
    });

    it('names a misspelt key with file, line and the nearest name', () => {
        install.configure({ site: { naem: 'x' } });
        const answer = run(complete);
        install.configure({});
        assert.notEqual(answer.status, 0);
        assert.match(answer.stderr, /latchkey\.conf:3: .*naem.*name/);
    });

    it('names an unusable template with file and line', () => {
        const folder = install.makeFolder('templates');
        spawnSync('sh', ['-c', `printf 'one\\n{{#open}}\\n' > ${folder}/login.mustache`]);
        install.configure({ site: { templates: folder } });
        const answer = spawnSync(path.join(programs, 'login'), [],
            { env: { LATCHKEY_CONFIG: install.config, ...complete }, encoding: 'utf8' });
        install.configure({});
        assert.notEqual(answer.status, 0);
        assert.match(answer.stderr, /login\.mustache:2: /);
    });
});
