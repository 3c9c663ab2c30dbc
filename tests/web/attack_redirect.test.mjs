// Targets of every make: not those that somebody thought of, but those that a few dangerous pieces
// can be put together to. The judge is the WHATWG's reading of a URL, as browsers have it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { targets } from './support/addresses.mjs';
import { behindEach } from './support/behind.mjs';
import { askFastcgi, required, runCgi } from './support/direct.mjs';
import { formType, host, openForm, own, signedIn } from './support/forms.mjs';
import { encodeForm, formFields, raw } from './support/http.mjs';
import { Install, alice } from './support/install.mjs';
import { many } from './support/replay.mjs';

const settings = { site: { return_hosts: 'app.example, *.wild.example' } };
const named = /^https?:\/\/(app\.example|([a-z0-9_-]+\.)+wild\.example)$/;

const pieces = ['/', '/', '//', '\\', '%2f', '%5c', '%09', '\t', '%0a', '\n', '\r', '%00', '\0', ' ', '%20', '.', '..',
    '%2e', '%2e%2e', '@', ':', ';', '?', '#', '%23', '%3f', '%', '%25', '%252f', 'http:', 'https:', 'HTTPS:', 'http://',
    'https://', 'javascript:', 'data:', 'evil.test', 'evil.test', host, 'app.example', 'a.wild.example', 'x', 'a', '[',
        ']',
    '&', '=', '"', '<', '\u00a0', '\u2028', '\u3002', '\uff0f', '\uff45vil.test', '\ufeff', '80', '::1', '2130706433'];

const starts = ['/', '/x', '/x?', 'http://', 'https://', `http://${host}`, 'https://app.example',
    'https://a.wild.example/'];

// The same sequence in every run.
function* numbers(seed) {
    for (let state = seed; ;) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        yield state >>> 8;
    }
}

// `count` texts of one to six pieces, each second one behind something that is let through.
function makeTargets(count, seed) {
    const chance = numbers(seed);
    const pick = (list) => list[chance.next().value % list.length];
    return Array.from({ length: count }, (_, i) => (i % 2 === 0 ? '' : pick(starts)) +
        Array.from({ length: pick([1, 2, 3, 4, 5, 6]) }, () => pick(pieces)).join(''));
}

// Where a browser goes that reads `location` on the login page; undefined where it goes nowhere.
function leadsTo(location) {
    try {
        return new URL(location, `http://${host}/auth/login`);
    } catch {
        return undefined;
    }
}
const stays = (url) => url.origin === `http://${host}` || url.origin === `https://${host}` || named.test(url.origin);

function assertHarmless(location, what) {
    assert.match(location, /^[\x21-\x7e]+$/, what);
    const url = leadsTo(location);
    assert.ok(url !== undefined && stays(url) && url.username === '', `${JSON.stringify(what)}: ${location}`);
    // Its path is what browsers ask for: there was nothing to repair.
    assert.equal(url.pathname, location.replace(/^https?:\/\/[^/]*/, '').split('?')[0] || '/', what);
}

describe('a target put together of dangerous pieces', () => {
    const made = makeTargets(10000, 20260101);
    let install;
    let cookie;

    before(async () => {
        install = await new Install(settings).init().serve();
        const page = runCgi(install, 'login', { ...required, REQUEST_URI: '/auth/login', HTTP_HOST: host });
        const body = encodeForm({ ...formFields(page.body), username: alice.name, password: alice.password });
        const answer = await askFastcgi(install.socket('login'), {
            ...required, REQUEST_METHOD: 'POST', REQUEST_URI: '/auth/login', HTTP_HOST: host, CONTENT_TYPE: formType,
            CONTENT_LENGTH: String(body.length), HTTP_COOKIE: page.headers['set-cookie'].split(';')[0],
        }, 'responder', { body });
        assert.equal(answer.status, 303);
        cookie = answer.headers['set-cookie'].split(';')[0];
    });
    after(async () => assert.equal(await install?.close(), 0));

    const ask = (next, more) => askFastcgi(install.socket('login'),
        { ...required, REQUEST_URI: `/auth/login?next=${next}`, HTTP_HOST: host, ...more });

    it('would often lead elsewhere, were it followed', () => {
        const elsewhere = made.map(leadsTo).filter((url) => url !== undefined && !stays(url));
        assert.ok(elsewhere.length > 1000, String(elsewhere.length));
    });

    it('leads nowhere else, and is shown in no form', async () => {
        let followed = 0;
        await many(made.length, async (index) => {
            const target = made[index];
            const next = encodeURIComponent(target);
            const answer = await ask(next, { HTTP_COOKIE: cookie });
            if (answer.status === 400) return; // a control character
            assert.equal(answer.status, 303, target);
            assertHarmless(answer.headers.location, target);
            followed += answer.headers.location === '/auth/account' ? 0 : 1;
            if (index % 8 > 0) return;
            const page = await ask(next);
            assert.equal(page.status, 200, target);
            const shown = formFields(page.body).next;
            if (shown !== '') assertHarmless(shown, target);
        });
        assert.ok(followed > 500, `the control: ${followed} were followed`);
    });
});

behindEach('the way from a protected page through the login page', {}, (at) => {
    it('leads to this site, however the page was asked for', async () => {
        const session = await signedIn(at.port);
        let led = 0;
        await many(targets.length, async (index) => {
            const head = `GET ${targets[index]} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\n`;
            const asked = await raw(at.port, Buffer.from(`${head}Connection: close\r\n\r\n`, 'latin1'),
                1200).catch(() => '');
            const login = /^location: (.*)\r$/mi.exec(asked)?.[1];
            if (login === undefined || !asked.startsWith('HTTP/1.1 303')) return;
            assert.match(login, /^\/auth\/login(\?next=[A-Za-z0-9._~%-]*)?$/, targets[index]);
            session.jar.delete('latchkey-hops');
            const back = await session.fetch(login, { headers: { host, cookie: session.cookie } });
            assert.equal(back.status, 303, login);
            assert.equal(leadsTo(back.headers.location).origin, `http://${host}`, login);
            led++;
        });
        assert.ok(led > 40, String(led));
    });

    it('leads to this site by a form that was filled in there', async () => {
        const { browser, fields } = await openForm(at.port);
        const login = (await browser.fetch('/private/page.html?u=//evil.test')).headers.location;
        const { next } = formFields((await browser.fetch(login)).body);
        const answer = await browser.post('/auth/login', { ...fields, next }, own);
        assert.equal(answer.headers.location, '/private/page.html?u=//evil.test');
    });
});
