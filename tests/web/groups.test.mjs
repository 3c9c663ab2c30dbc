// The rule of groups must hold wherever the web server's own configuration may lead a request.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Install, alice, bob } from './support/install.mjs';
import { Browser, request } from './support/http.mjs';
import { lighttpd, nginx, secret } from './support/servers.mjs';

describe('groups behind nginx', () => {
    let install;
    let web;
    const paths = ['/team/page.html', '/nested/page.html', '/broken/page.html', '/overridden/page.html'];

    before(async () => {
        install = await new Install().init().serve();
        const team = `${install.folder}/protect-team.conf`;
        const misspelt = (address) => `auth_request ${address}; root ${install.folder}/site;`;
        web = await nginx.start(install, {
            locations: `
location /nested/ {
    include ${team};
    location ~ \\.html$ { rewrite ^/nested/(.*)$ /team/$1 break; }
}
location /broken/ {
    rewrite ^/broken/(.*)$ /team/$1 break;
    include ${team};
}
location /overridden/ {
    include ${team};
    set $latchkey_wanted "guests";
    rewrite ^/overridden/(.*)$ /team/$1 break;
}
location /misspelt/1/ { ${misspelt('/latchkey-gate/')} }
location /misspelt/2/ { ${misspelt('/latchkey-gate/guests/x')} }
location /misspelt/3/ { ${misspelt('/latchkey-gatestaff')} }
location /misspelt/4/ { ${misspelt('/latchkey-gate/,')} }
`,
        });
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('hold in nested locations and past rewrites', async () => {
        const guest = new Browser(web.port);
        await guest.signIn(bob);
        const member = new Browser(web.port);
        await member.signIn(alice);
        for (const path of paths) {
            const refused = await guest.fetch(path);
            assert.equal(refused.status, 403, path);
            assert.ok(!refused.body.includes(secret));
            assert.equal((await request(web.port, path)).status, 303, path);
            const shown = await member.fetch(path);
            assert.equal(shown.status, 200, path);
            assert.ok(shown.body.includes(secret));
        }
    });

    it('that are misspelt let nobody pass', async () => {
        const guest = new Browser(web.port);
        await guest.signIn(bob);
        for (const [number, status] of [[1, 500], [2, 500], [3, 500], [4, 403]]) {
            assert.equal((await guest.fetch(`/misspelt/${number}/page.html`)).status, status);
        }
    });

    it('the question itself cannot be asked by a client', async () => {
        for (const path of ['/latchkey-gate', '/latchkey-gate/staff', '/latchkey-gate/', '/latchkey-gate/a/b']) {
            assert.equal((await request(web.port, path)).status, 404, path);
        }
    });
});

describe('groups behind lighttpd', () => {
    let install;
    let web;

    before(async () => {
        install = await new Install().init().serve();
        web = await lighttpd.start(install, {
            extra: `
$HTTP["url"] =~ "\\.html$" {
    setenv.add-environment = ( "OTHER" => "1" )
    setenv.set-environment = ( "ANOTHER" => "1" )
    setenv.set-request-header = ( "Other" => "1" )
    fastcgi.server = ( ".php" => (( "socket" => "${install.run}/none.sock", "check-local" => "disable" )) )
}`,
        });
    });
    after(async () => {
        await web?.stop();
        assert.equal(await install?.close(), 0);
    });

    it('hold whatever earlier conditions set', async () => {
        const guest = new Browser(web.port);
        await guest.signIn(bob);
        const member = new Browser(web.port);
        await member.signIn(alice);
        assert.equal((await request(web.port, '/team/page.html')).status, 303);
        assert.equal((await request(web.port, '/private/page.html')).status, 303);
        assert.equal((await guest.fetch('/private/page.html')).status, 200);
        assert.equal((await guest.fetch('/team/page.html')).status, 403);
        const shown = await member.fetch('/team/page.html');
        assert.equal(shown.status, 200);
        assert.ok(shown.body.includes(secret));
    });
});
