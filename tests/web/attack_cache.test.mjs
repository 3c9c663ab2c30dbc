// A cache that many share, before the web server: nobody gets from it what was made for somebody.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { csrfOf, signedIn } from './support/forms.mjs';
import { request } from './support/http.mjs';
import { Install, Service, alice, bob, until } from './support/install.mjs';
import { freePort, secret, servers } from './support/servers.mjs';

// nginx as such caches are set up: by the address alone, for all that does not forbid it, also by
// its status where nothing says how long.
async function startCache(install, behind) {
    const port = await freePort();
    const folder = install.makeFolder(`cache-${behind.name}`);
    const config = path.join(folder, 'nginx.conf');
    writeFileSync(config, `
daemon off;
pid ${folder}/nginx.pid;
error_log stderr warn;
${process.getuid() === 0 ? 'user root;' : ''}
events { worker_connections 64; }
http {
    access_log off;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n    ')}
    proxy_cache_path ${folder}/kept keys_zone=all:1m;
    server {
        listen 127.0.0.1:${port};
        location / {
            proxy_pass http://127.0.0.1:${behind.port};
            proxy_set_header Host $http_host;
            proxy_cache all;
            proxy_cache_key $request_uri;
            proxy_cache_valid any 10m;
            add_header X-Cache $upstream_cache_status always;
        }
    }
}
`);
    const service = new Service('nginx', ['-p', folder, '-c', config],
        { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
    await until('the cache to listen', () => request(port, '/public/none').then(() => true, () => false));
    return Object.assign(service, { port });
}

const targets = [
    '/private/page.html', '/team/page.html', '/auth/session', '/auth/account', '/auth/account/sessions', '/auth/account/activity',
    '/auth/account/password', '/auth/login', '/auth/login?next=%2Fprivate%2Fpage.html', '/auth/logout', '/auth/login?%zz',
];

for (const server of servers) {
    describe(`a shared cache before ${server.name}`, () => {
        let install, web, cache;

        before(async () => {
            install = await new Install().init().serve();
            web = await server.start(install);
            cache = await startCache(install, web);
        });
        after(async () => {
            await cache?.stop();
            await web?.stop();
            assert.equal(await install?.close(), 0);
        });

        it('keeps open pages', async () => {
            assert.equal((await request(cache.port, '/public/page.html')).headers['x-cache'], 'MISS');
            assert.equal((await request(cache.port, '/public/page.html')).headers['x-cache'], 'HIT');
        });

        it('keeps nothing that is for somebody, nor who nobody is', async () => {
            const [one, other] = [await signedIn(cache.port, alice), await signedIn(cache.port, bob)];
            for (const target of targets) {
                // Each before and after each other.
                for (const who of [one, other, undefined, one, undefined, other, one]) {
                    const answer = who === undefined ? await request(cache.port, target) : await who.fetch(target);
                    const direct = await request(web.port, target, { headers: who === undefined ? {} : { cookie: who.cookie } });
                    assert.notEqual(answer.headers['x-cache'], 'HIT', target);
                    assert.equal(answer.status, direct.status, target);
                    assert.equal(answer.body.includes(secret), direct.body.includes(secret), target);
                    for (const [user, words] of [[one, /alice/i], [other, /bob/i]]) {
                        if (who !== user) assert.doesNotMatch(answer.body, words, target);
                    }
                }
            }
            for (const browser of [one, other]) {
                const cookie = browser.cookie;
                const form = `csrf=${await csrfOf(browser)}`;
                assert.equal((await browser.post('/auth/logout', form)).headers.location, '/auth/login?signed-out');
                for (const target of targets.slice(0, 6)) {
                    assert.notEqual((await request(cache.port, target, { headers: { cookie } })).status, 200, target);
                }
            }
        });
    });
}
