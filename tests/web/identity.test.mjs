// Programs behind the web server learn from the gate who it is, and from nobody else.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Install, alice } from './support/install.mjs';
import { startFastcgi, startHttp } from './support/backends.mjs';
import { Browser, request } from './support/http.mjs';
import { deploy, nginx } from './support/servers.mjs';

const claims = {
    'Remote-User': 'mallory', Remote_User: 'mallory', 'Remote.User': 'mallory', 'REMOTE-GROUPS': 'mallory',
    remote_groups: 'mallory', 'Remote-Email': 'mallory', 'Remote-Name': 'mallory', Proxy: 'mallory',
    Authorization: `Basic ${Buffer.from('mallory:x').toString('base64')}`, 'X-Mallory': 'seen',
};

describe('programs behind nginx', () => {
    let install;
    let web;
    let backends;

    before(async () => {
        install = await new Install().init().serve();
        backends = { http: await startHttp(), fastcgi: await startFastcgi() };
        const places = Object.entries({
            proxy: `include ${deploy('nginx/latchkey-proxy.conf')}; proxy_pass http://127.0.0.1:${backends.http.port};`,
            fastcgi: `include ${deploy('nginx/latchkey-fastcgi.conf')}; fastcgi_pass 127.0.0.1:${backends.fastcgi.port};`,
        }).map(([name, lines]) => `
location /open/${name} { ${lines} }
location /closed/${name} { include ${deploy('nginx/latchkey-protect.conf')}; ${lines} }`);
        web = await nginx.start(install, { locations: `underscores_in_headers on;\n${places.join('')}` });
    });
    after(async () => {
        await web?.stop();
        await backends?.http.stop();
        await backends?.fastcgi.stop();
        assert.equal(await install?.close(), 0);
    });

    // The names by which a program is told something, in one spelling.
    const told = (body) => body.split('\n').filter(Boolean).map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at).toUpperCase().replace(/[^A-Z0-9]/g, '_').replace(/^HTTP_/, ''), line.slice(at + 1)];
    });

    for (const carrier of ['proxy', 'fastcgi']) {
        it(`learn nothing of an anonymous visitor's claims (${carrier})`, async () => {
            const answer = await request(web.port, `/open/${carrier}`, { headers: claims });
            assert.equal(answer.status, 200);
            const lines = told(answer.body);
            assert.ok(lines.some(([name]) => name === 'X_MALLORY'), 'the control: other headers arrive');
            for (const [name, value] of lines) {
                if (name.startsWith('REMOTE_') && !['REMOTE_ADDR', 'REMOTE_PORT'].includes(name)) {
                    assert.equal(value, '', name);
                }
                assert.notEqual(value, 'mallory', name);
            }
        });

        it(`learn from the gate who is signed in, once (${carrier})`, async () => {
            const browser = new Browser(web.port);
            await browser.signIn(alice);
            const answer = await browser.fetch(`/closed/${carrier}`, { headers: claims });
            assert.equal(answer.status, 200);
            const lines = told(answer.body);
            const values = (wanted) => lines.filter(([name]) => name === wanted).map(([, value]) => value);
            for (const [name, value] of [['REMOTE_USER', 'alice'], ['REMOTE_NAME', 'Alice Example'],
                ['REMOTE_EMAIL', 'alice@example.org'], ['REMOTE_GROUPS', 'staff']]) {
                assert.deepEqual(values(name), carrier === 'fastcgi' ? [value, value] : [value], name);
            }
            assert.ok(!lines.some(([, value]) => value === 'mallory'));
        });
    }
});
