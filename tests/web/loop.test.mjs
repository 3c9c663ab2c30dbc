// The count by which circles are found: it is the browser's word, and decides what is told only.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { behindEach } from './support/behind.mjs';
import { isSignedIn, signedIn } from './support/forms.mjs';
import { Browser } from './support/http.mjs';

const target = '/auth/login?next=/private/page.html';

behindEach('the way back from the login page', {}, (at) => {
    it('is taken four times more within half a minute, then explained', async () => {
        const browser = await signedIn(at.port);
        for (let i = 0; i < 4; i++) {
            const answer = await browser.fetch(target);
            assert.equal(answer.status, 303);
            assert.equal(answer.headers.location, '/private/page.html');
            assert.match(answer.cookies.find((line) => line.startsWith('latchkey-hops=')), /Max-Age=30/);
        }
        const page = await browser.fetch(target);
        assert.equal(page.status, 409);
        assert.match(page.body, /back and forth/);
        assert.equal(await isSignedIn(browser), true);
        browser.jar.delete('latchkey-hops'); // half a minute later
        assert.equal((await browser.fetch(target)).status, 303);
    });

    it('is explained to who signed in and came back without the cookie, with the form', async () => {
        const browser = await signedIn(at.port);
        browser.jar.delete('latchkey');
        const page = await browser.fetch(target);
        assert.equal(page.status, 200);
        assert.match(page.body, /role="alert">[^<]*cookie/);
        assert.match(page.body, /name="password"/);
    });

    it('is nobody\'s business after a sign-out', async () => {
        const browser = await signedIn(at.port);
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
