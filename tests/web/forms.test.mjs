// What a form may be made of, and that nothing else does anything.
import assert from 'node:assert/strict';
import { beforeEach, it } from 'node:test';
import { alice } from './support/install.mjs';
import { encodeForm, raw, request } from './support/http.mjs';
import { csrfOf, formType, host, isSignedIn, openForm, own, signedIn, without } from './support/forms.mjs';
import { behindEach } from './support/behind.mjs';

// Passwords are wrong here more often than is free.
behindEach('what is no good form', { throttle: { attempts: 1000 } }, (at) => {
    let browser;
    let fields;
    beforeEach(async () => ({ browser, fields } = await openForm(at.port)));

    // Sends the body as it is; the next request must work, and the form must still be good.
    async function refused(status, body, headers = {}, target = '/auth/login') {
        const answer = await browser.fetch(target, {
            method: 'POST', body, headers: { ...own, 'content-type': formType, ...headers },
        });
        const what = `${JSON.stringify(headers)} ${String(body).slice(0, 60)}`;
        assert.equal(answer.status, status, what);
        assert.deepEqual(answer.cookies, [], what);
        assert.equal(await isSignedIn(browser), false, what);
        return answer;
    }
    const stillGood = async () => assert.equal((await browser.post('/auth/login', fields, own)).status, 303);

    it('other methods are refused, and the allowed ones are named', async () => {
        const session = await signedIn(at.port);
        const csrf = await csrfOf(session);
        for (const [target, allowed] of [['/auth/login', 'GET, HEAD, POST'], ['/auth/logout', 'GET, HEAD, POST'],
            ['/auth/account', 'GET, HEAD'], ['/auth/session', 'GET, HEAD']]) {
            const methods = ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'];
            if (!allowed.includes('POST')) methods.push('POST');
            for (const method of methods) {
                const answer = await session.fetch(target, {
                    method, body: encodeForm({ ...fields, csrf }), headers: { ...own, 'content-type': formType },
                });
                assert.equal(answer.status, 405, `${method} ${target}`);
                assert.equal(answer.headers.allow, allowed, `${method} ${target}`);
                assert.deepEqual(answer.cookies, []);
            }
        }
        assert.ok(await isSignedIn(session));
        await stillGood();
    });

    it('methods that only look like POST do nothing', async () => {
        const session = await signedIn(at.port);
        const body = encodeForm({ csrf: await csrfOf(session) });
        for (const method of ['post', 'Post', 'POSTX', 'POST\t', 'TRACE', 'CONNECT', 'GET', 'HEAD']) {
            const answer = await raw(at.port, `${method} /auth/logout HTTP/1.1\r\nHost: ${host}\r\n` +
                `Cookie: ${session.cookie}\r\nOrigin: ${own.origin}\r\nContent-Type: ${formType}\r\n` +
                `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
            assert.doesNotMatch(answer, /^HTTP\/1.1 303|set-cookie/i, method);
            assert.ok(await isSignedIn(session), method);
        }
        for (const override of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
            const answer = await session.fetch('/auth/logout?_method=POST',
                { headers: { ...own, [override]: 'POST' } });
            assert.equal(answer.status, 200);
        }
        assert.ok(await isSignedIn(session));
    });

    it('a body of 16 KiB is read, a larger one is not', async () => {
        const fill = (length) => {
            const start = `${encodeForm({ ...fields, password: 'wrong' })}&fill=`;
            return start + 'x'.repeat(length - start.length);
        };
        const read = await refused(403, fill(16384));
        assert.match(read.body, /do not go together/);
        for (const length of [16385, 20000, 60000]) {
            const answer = await refused(413, fill(length));
            assert.match(answer.body, /More was sent than this page takes/);
        }
        await stillGood();
    });

    it('a body of megabytes does not hurt', async () => {
        for (const length of [70000, 1 << 20, (1 << 20) + 1, 5 << 20]) {
            const body = `${encodeForm(fields)}&fill=${'x'.repeat(length)}`;
            const answer = await raw(at.port, `POST /auth/login HTTP/1.1\r\nHost: ${host}\r\n` +
                `Cookie: ${browser.cookie}\r\nOrigin: ${own.origin}\r\nContent-Type: ${formType}\r\n` +
                `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
            assert.match(answer, length > 1 << 19 ? /^HTTP\/1.1 (413|50[0234]) / : /^HTTP\/1.1 413 /, String(length));
            assert.equal((await request(at.port, '/auth/login')).status, 200, String(length));
        }
        await stillGood();
    });

    it('other types than the one of forms are refused', async () => {
        const body = encodeForm(fields);
        for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x', 'text/html',
            `${formType}; charset=utf-16`, `${formType}; charset=utf-7`, `${formType}; charset=iso-8859-1`,
            `${formType}x`, `x${formType}`, `${formType}, text/plain`, 'application', '*/*', '']) {
            await refused(415, body, { 'content-type': type });
        }
        for (const coding of ['gzip', 'deflate', 'br', 'gzip, identity']) {
            await refused(415, body, { 'content-encoding': coding });
        }
        await stillGood();
        for (const type of [`${formType};charset=UTF-8`, `${formType.toUpperCase()} ; charset="utf-8"`]) {
            const again = await openForm(at.port);
            const answer = await again.browser.post('/auth/login', again.fields, { ...own, 'content-type': type });
            assert.equal(answer.status, 303, type);
        }
    });

    it('bad escapes, NUL and what is no UTF-8 are refused', async () => {
        const good = encodeForm(without(fields, 'password'));
        for (const bytes of ['%', '%0', '%zz', '%g0', '%0g', '% 0', '%-1', '%%30', '%00', 'a%00b', '%ff', '%c0%80',
            '%c0%af', '%ed%a0%80', '%f8%88%80%80%80', '%f4%90%80%80', '%e2%82', '%80', '\x00', '\xff', '\xc0\xaf']) {
            for (const body of [`${good}&password=${bytes}`, `${good}&${bytes}=1`, `other=${bytes}&${good}`]) {
                await refused(400, Buffer.from(body, 'latin1'));
            }
        }
        for (const query of ['?%zz', '?next=%', '?next=%00', '?a=%ff', '?%c0%af=1']) {
            for (const method of ['GET', 'POST']) {
                const answer = await browser.fetch(`/auth/login${query}`,
                    { method, body: method === 'POST' ? encodeForm(fields) : undefined,
                        headers: { ...own, 'content-type': formType } });
                assert.equal(answer.status, 400, `${method} ${query}`);
            }
        }
        await stillGood();
    });

    it('a field given twice is refused, also with the same value', async () => {
        const body = encodeForm(fields);
        for (const [name, value] of Object.entries({ ...fields, remember: '1' })) {
            const once = name in fields ? body : `${body}&${encodeForm({ [name]: value })}`;
            for (const other of [value, '', '/a', 'bob']) {
                await refused(400, `${once}&${encodeForm({ [name]: other })}`);
                await refused(400, `${encodeForm({ [name]: other })}&${once}`);
            }
        }
        await refused(400, `${body}&us%65rname=bob`);
        await refused(400, `${body}&x=1&x=1`);
        await stillGood();
    });

    it('more than 64 fields are refused, and empty pieces are nothing', async () => {
        const body = encodeForm(fields);
        const count = Object.keys(fields).length;
        const more = (length) => Array.from({ length }, (_, i) => `f${i}=`).join('&');
        await refused(413, `${body}&${more(65 - count)}`);
        await refused(413, 'a&'.repeat(8000));
        await refused(403, '&'.repeat(16000));
        await refused(403, '===');
        await refused(400, '===&==&='); // three times the name ""
        const answer = await browser.post('/auth/login', `&&${body}&&&${more(64 - count)}&`, { host });
        assert.equal(answer.status, 303);
    });

    it('fields of the query do not take the place of those of the body', async () => {
        const { csrf, username, password } = fields;
        await refused(403, '', {}, `/auth/login?${encodeForm(fields)}`);
        await refused(403, encodeForm({ username, password }), {}, `/auth/login?${encodeForm({ csrf })}`);
        await refused(403, encodeForm({ csrf, username }), {}, `/auth/login?${encodeForm({ password })}`);
        await refused(403, encodeForm({ csrf, password }), {}, `/auth/login?${encodeForm({ username })}`);
        const got = await browser.fetch(`/auth/login?${encodeForm(fields)}`);
        assert.equal(got.status, 200);
        assert.ok(!got.body.includes(fields.password));
        assert.equal(await isSignedIn(browser), false);
        const answer = await browser.post('/auth/login?username=bob&csrf=x&next=%2Fprivate%2F', fields, own);
        assert.equal(answer.headers.location, '/auth/account');
        assert.equal(JSON.parse((await browser.fetch('/auth/session')).body).user, alice.name);
    });

    it('names are compared exactly, and only "&" parts fields', async () => {
        const { csrf, username, password } = fields;
        for (const body of [
            encodeForm({ csrf, username, Password: password }), encodeForm({ CSRF: csrf, username, password }),
            encodeForm({ csrf, 'username[]': username, password }),
            encodeForm({ csrf, ' username': username, password }),
            encodeForm({ csrf, 'username.x': username, password }), encodeForm(fields).replaceAll('&', ';'),
            encodeForm(fields).replaceAll('=', '%3D'), encodeForm(fields).replaceAll('&', '%26'),
            encodeForm(fields).replaceAll('&', '\n'),
        ]) {
            await refused(403, body);
        }
        await stillGood();
    });

    it('a password is decoded once and otherwise taken as it is', async () => {
        const user = { name: 'exact', password: ' a+b%20c & d=é ' };
        at.install.try(['user', 'remove', user.name]);
        at.install.addUser(user);
        const form = { csrf: fields.csrf, username: user.name };
        for (const password of ['a+b%20c & d=é', ' a b%20c & d=é ', ' a+b c & d=é ', ' a+b%20c & d=e\u0301 ',
            `${user.password}x`, user.password.slice(0, -1), `${user.password}\n`, ' A+B%20C & D=É ']) {
            await refused(403, encodeForm({ ...form, password }));
        }
        const answer = await browser.post('/auth/login', { ...form, password: user.password }, own);
        assert.equal(answer.status, 303);
    });
});
