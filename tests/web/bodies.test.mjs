// How long a body is, told in ways that two programs might read differently.
import assert from 'node:assert/strict';
import { beforeEach, it } from 'node:test';
import { apache } from './support/apache.mjs';
import { bob } from './support/install.mjs';
import { encodeForm, raw, request } from './support/http.mjs';
import { csrfOf, formType, host, isSignedIn, openForm, own, signedIn } from './support/forms.mjs';
import { behindEach } from './support/behind.mjs';
import { servers } from './support/servers.mjs';

behindEach('the length of a body', {}, (at) => {
    let browser;
    let fields;
    let body;
    beforeEach(async () => {
        ({ browser, fields } = await openForm(at.port));
        body = encodeForm(fields);
    });

    const post = (headers, sent) => `POST /auth/login HTTP/1.1\r\nHost: ${host}\r\nCookie: ${browser.cookie}\r\n` +
        `Origin: ${own.origin}\r\nContent-Type: ${formType}\r\nConnection: close\r\n${headers}\r\n${sent}`;
    const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

    // Whoever waits for more gets nothing: the client goes away after a moment.
    async function refused(headers, sent = body) {
        const answer = await raw(at.port, post(headers, sent), 700).catch(() => '');
        assert.doesNotMatch(answer, /^HTTP\/1.1 [23]0|latchkey=[A-Za-z0-9_-]{104}.*HttpOnly/m, headers);
        assert.equal((await request(at.port, '/auth/login')).status, 200, headers);
        return answer;
    }
    const stillGood = async () => assert.equal((await browser.post('/auth/login', fields, own)).status, 303);

    it('must be a number', async () => {
        const { length } = body;
        for (const value of ['-1', `+${length}`, `0x${length.toString(16)}`, `${length},${length}`, `${length}, 5`,
            '1e3', '99999999999999999999', '18446744073709551616', `${length}.0`, `${length} ${length}`, 'x',
            `0${'9'.repeat(30)}`]) {
            await refused(`Content-Length: ${value}\r\n`);
        }
        await stillGood();
    });

    it('must be said once', async () => {
        const { length } = body;
        await refused(`Content-Length: ${length}\r\nContent-Length: ${length - 1}\r\n`);
        await refused(`Content-Length: 0\r\nContent-Length: ${length}\r\n`);
        await stillGood();
    });

    it('cuts what is longer, and waits for what is shorter', async () => {
        // The password is cut, so it is a wrong one; what follows is no second request that counts.
        await refused(`Content-Length: ${body.length - 3}\r\n`);
        await refused(`Content-Length: ${body.length + 1}\r\n`);
        await refused('Content-Length: 0\r\n');
        await refused('');
        await stillGood();
    });

    it('cannot hide a second request', async () => {
        const hidden = `GET /public/page.html HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
        const keep = (headers, sent) => post(headers, sent).replace('Connection: close\r\n', '');
        const answers = async (headers, sent) =>
            (await raw(at.port, keep(headers, sent), 700)).split(/^HTTP\/1\.[01] \d/m).length - 1;
        for (const headers of [
            `Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n`,
            'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
            'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', 'Transfer-Encoding: xchunked\r\n',
            'Transfer-Encoding: chunked, gzip\r\n', 'Transfer-Encoding : chunked\r\n',
            'Transfer-Encoding:\x0bchunked\r\n', 'Transfer-Encoding: chunked\r\nContent-Length : 5\r\n',
        ]) {
            assert.equal(await answers(headers, `0\r\n\r\n${hidden}`), 1, headers);
        }
        assert.equal(await answers('Content-Length: 0\r\n', hidden), 2, 'the control: two in a row are answered');
        await stillGood();
    });

    it('may be left to chunks', async () => {
        for (const split of [(text) => [text], (text) => [text.slice(0, 10), text.slice(10)], (text) => [...text]]) {
            ({ browser, fields } = await openForm(at.port));
            const answer = await raw(at.port, post('Transfer-Encoding: chunked\r\n',
                `${split(encodeForm(fields)).map(chunk).join('')}0\r\n\r\n`));
            assert.match(answer, /^HTTP\/1.1 303 /);
            assert.match(answer, /^location: \/auth\/account/mi);
        }
    });

    it('cannot be got round by chunks', async () => {
        const good = chunk(body);
        const large = 'x'.repeat(20000);
        assert.match(await raw(at.port, post('Transfer-Encoding: chunked\r\n',
            `${chunk(`${body}&fill=${large}`)}0\r\n\r\n`)), /^HTTP\/1.1 413 /);
        for (const sent of [good, `-5\r\n${body}\r\n0\r\n\r\n`, `0x${good}0\r\n\r\n`, `zz\r\n${body}\r\n0\r\n\r\n`,
            `ffffffffffffffff\r\n${body}\r\n0\r\n\r\n`, `fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
            `5\r\n${body}\r\n0\r\n\r\n`, '0\r\n\r\n', '\r\n']) {
            await refused('Transfer-Encoding: chunked\r\n', sent);
        }
        await stillGood();
    });

    it('trailers change nothing', async () => {
        const session = await signedIn(at.port, bob);
        const csrf = await csrfOf(session);
        const answer = await raw(at.port, `POST /auth/logout HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${own.origin}\r\n` +
            `Content-Type: ${formType}\r\nTransfer-Encoding: chunked\r\nTrailer: Cookie\r\nConnection: close\r\n\r\n` +
            `${chunk(encodeForm({ csrf }))}0\r\nCookie: ${session.cookie}\r\nContent-Length: 3\r\n\r\n`);
        assert.doesNotMatch(answer, /^HTTP\/1.1 303/);
        assert.ok(await isSignedIn(session));
    });

    it('bodies that never end, many at once, do not keep others out', async () => {
        const half = Array.from({ length: 60 }, () => raw(at.port,
            post(`Content-Length: ${body.length + 100}\r\n`, body), 1500).catch(() => ''));
        await stillGood();
        for (const answer of await Promise.all(half)) assert.doesNotMatch(answer, /^HTTP\/1.1 303/);
        assert.equal((await request(at.port, '/auth/login')).status, 200);
    });
}, [...servers, apache]);
