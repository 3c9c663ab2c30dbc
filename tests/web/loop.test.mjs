// The count by which circles are found: it is the browser's word, and decides what is told only.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { behindEach } from './support/behind.mjs';
import { isSignedIn, signedIn } from './support/forms.mjs';
import { Browser } from './support/http.mjs';
import { alice } from './support/install.mjs';

const page = '/private/page.html';
const target = `/auth/login?next=${page}`;
const hopsOf = (answer) => answer.cookies.filter((line) => line.startsWith('latchkey-hops='));

// Signed in on the way to a page, which counts as the first time.
async function sentOn(port) {
    const browser = new Browser(port);
    const answer = await browser.signIn(alice, { next: page });
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.location, page);
    assert.deepEqual(answer.cookies.map((line) => line.split('=')[0]).sort(),
        ['latchkey', 'latchkey-device', 'latchkey-hops']);
    assert.match(hopsOf(answer)[0], /^latchkey-hops=1; Path=\/; Max-Age=30; HttpOnly; SameSite=Lax$/);
    return browser;
}

behindEach('the way back from the login page', {}, (at) => {
    it('is taken four times more within half a minute, then explained', async () => {
        const browser = await sentOn(at.port);
        for (let i = 2; i < 6; i++) {
            const answer = await browser.fetch(target);
            assert.equal(answer.status, 303);
            assert.equal(answer.headers.location, page);
            assert.deepEqual(answer.cookies, hopsOf(answer));
            assert.match(answer.cookies[0], new RegExp(`^latchkey-hops=${i};.* Max-Age=30;`));
        }
        const explained = await browser.fetch(target);
        assert.equal(explained.status, 409);
        assert.match(explained.body, /back and forth/);
        assert.equal(await isSignedIn(browser), true);
        browser.jar.delete('latchkey-hops'); // half a minute later
        assert.equal((await browser.fetch(target)).status, 303);
    });

    it('is explained to who signed in and came back without the cookie, with the form', async () => {
        const browser = await sentOn(at.port);
        browser.jar.delete('latchkey');
        const { status, body } = await browser.fetch(target);
        assert.equal(status, 200);
        assert.match(body, /role="alert">[^<]*cookie/);
        assert.match(body, /name="password"/);
    });

    it('is not counted where it leads to the account page', async () => {
        const browser = await signedIn(at.port);
        assert.deepEqual([...browser.jar.keys()].sort(), ['latchkey', 'latchkey-device']);
        for (const query of ['', '?next=', '?next=//evil.test', '?next=/auth/logout']) {
            const answer = await browser.fetch(`/auth/login${query}`);
            assert.equal(answer.status, 303, query);
            assert.equal(answer.headers.location, '/auth/account', query);
            assert.deepEqual(answer.cookies, [], query);
        }
        browser.jar.set('latchkey-hops', '5');
        assert.equal((await browser.fetch('/auth/login')).headers.location, '/auth/account');
    });

    it('is nobody\'s business after a sign-out', async () => {
        const browser = await sentOn(at.port);
        assert.equal((await browser.signOut()).status, 303);
        assert.equal(browser.jar.has('latchkey-hops'), false);
        assert.ok(!(await browser.fetch(target)).body.includes('role="alert"'));
    });

    it('is not changed by what a count cannot be', async () => {
        for (const hops of ['', '0', '-1', '6', '99999999999999999999', 'x', '1;2', '%31', '"5"']) {
            const browser = await signedIn(at.port);
            browser.jar.set('latchkey-hops', hops);
            assert.equal((await browser.fetch(target)).status, 303, hops);
            const nobody = new Browser(at.port);
            nobody.jar.set('latchkey-hops', hops);
            const { status, body } = await nobody.fetch(target);
            assert.equal(status, 200);
            assert.equal(body.includes('role="alert"'), hops.startsWith('1'), hops);
        }
    });

    it('a count without a session lets nobody in', async () => {
        const nobody = new Browser(at.port);
        nobody.jar.set('latchkey-hops', '5');
        assert.equal((await nobody.fetch(target)).status, 200);
        assert.equal(await isSignedIn(nobody), false);
    });
});
