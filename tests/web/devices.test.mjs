// Where a user is signed in, and ending it there.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isSignedIn } from './support/forms.mjs';
import { Browser, formFields } from './support/http.mjs';
import { clocked, runAt } from './support/clock.mjs';
import { forEachStore } from './support/stores.mjs';

const page = '/auth/account/sessions';
const agents = {
    firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    iphone: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
};

let users = 0;

function addUser(at) {
    const user = { name: `device${++users}`, password: 'a long sentence of this user' };
    runAt(at, ['user', 'add', user.name, '--password-stdin'], `${user.password}\n`);
    return user;
}

async function signInWith(at, user, agent) {
    const browser = new Browser(at.webs[0].port);
    const fields = { username: user.name, password: user.password };
    assert.equal((await browser.submit('/auth/login', fields, { 'user-agent': agent })).status, 303);
    return browser;
}

// The list as it is shown: id, words and whether it is the own one.
async function listOf(browser) {
    const { body, status } = await browser.fetch(page);
    assert.equal(status, 200);
    return [...body.matchAll(/<li>.*?<\/li>/gs)].map(([item]) => ({
        id: /name="id" value="([^"]*)"/.exec(item)[1],
        words: /<strong>([^<]*)</.exec(item)[1],
        isOwn: item.includes('this one'),
        text: item.replace(/<[^>]*>/g, ''),
    }));
}

async function send(browser, fields) {
    const { body } = await browser.fetch(page);
    return browser.post(page, { csrf: formFields(body).csrf, ...fields });
}

forEachStore('devices', (at) => {
    it('are listed with browser, system, address and time, the own one marked', async () => {
        const user = addUser(at);
        await signInWith(at, user, agents.iphone);
        const browser = await signInWith(at, user, agents.firefox);
        const list = await listOf(browser);
        assert.deepEqual(list.map(({ words, isOwn }) => [words, isOwn]).sort(),
            [['Firefox on Linux', true], ['Safari on iPhone', false]]);
        for (const { text } of list) {
            assert.match(text, /from 127\.0\.0\.1/);
            assert.match(text, /Signed in just now/);
        }
    });

    it('are ended one by one, at once and everywhere', async () => {
        const user = addUser(at);
        const other = await signInWith(at, user, agents.iphone);
        const browser = await signInWith(at, user, agents.firefox);
        const copy = new Browser(at.webs[1].port);
        copy.jar = new Map(other.jar);
        const { id } = (await listOf(browser)).find(({ isOwn }) => !isOwn);
        const answer = await send(browser, { id });
        assert.equal(answer.status, 303);
        assert.equal(answer.headers.location, `${page}?ended`);
        assert.equal(await isSignedIn(other), false);
        assert.equal(await isSignedIn(copy), false);
        assert.equal(await isSignedIn(browser), true);
        assert.equal((await listOf(browser)).length, 1);
        assert.equal((await send(browser, { id })).status, 404);
    });

    it('all end at once, this one too', async () => {
        const user = addUser(at);
        const other = await signInWith(at, user, agents.iphone);
        const browser = await signInWith(at, user, agents.firefox);
        const answer = await send(browser, { all: '1' });
        assert.equal(answer.status, 303);
        assert.equal(answer.headers.location, '/auth/login?signed-out');
        assert.match(answer.cookies.find((line) => line.startsWith('latchkey=')), /Max-Age=0/);
        assert.equal(await isSignedIn(other), false);
        assert.equal(await isSignedIn(browser), false);
    });

    it('the own one is ended like a sign-out', async () => {
        const browser = await signInWith(at, addUser(at), agents.firefox);
        const [{ id }] = await listOf(browser);
        const answer = await send(browser, { id });
        assert.equal(answer.headers.location, '/auth/login?signed-out');
        assert.equal(await isSignedIn(browser), false);
    });

    it('of others are neither shown nor ended', async () => {
        const victim = await signInWith(at, addUser(at), agents.iphone);
        const browser = await signInWith(at, addUser(at), agents.firefox);
        const [{ id }] = await listOf(victim);
        assert.ok(!(await listOf(browser)).some((device) => device.id === id));
        const answer = await send(browser, { id });
        const unknown = await send(browser, { id: '0123456789abcdef' });
        assert.equal(answer.status, 404);
        assert.equal(answer.body.replace(/value="[^"]*"/g, ''), unknown.body.replace(/value="[^"]*"/g, ''));
        assert.equal(await isSignedIn(victim), true);
    });

    it('have ids that are no tokens', async () => {
        const browser = await signInWith(at, addUser(at), agents.firefox);
        const [{ id }] = await listOf(browser);
        assert.ok(!browser.jar.get('latchkey').includes(id));
        const thief = new Browser(at.webs[0].port);
        thief.jar.set('latchkey', id);
        assert.equal(await isSignedIn(thief), false);
        const { body } = await browser.fetch(page);
        assert.ok(!body.includes(browser.jar.get('latchkey')));
    });

    it('want the password again when the sign-in was ten minutes ago', async () => {
        const user = addUser(at);
        const other = await signInWith(at, user, agents.iphone);
        const browser = await signInWith(at, user, agents.firefox);
        const { id } = (await listOf(browser)).find(({ isOwn }) => !isOwn);
        at.clock.pass(601);
        const question = await send(browser, { id });
        assert.equal(question.status, 403);
        assert.match(question.body, /name="current"/);
        assert.equal(formFields(question.body).id, id);
        const fields = formFields(question.body);
        const wrong = await browser.post(page, { ...fields, current: 'not the password' });
        assert.equal(wrong.status, 403);
        assert.match(wrong.body, /not your password/);
        assert.equal(await isSignedIn(other), true);
        const answer = await browser.post(page, { ...formFields(wrong.body), current: user.password });
        assert.equal(answer.status, 303);
        assert.equal(await isSignedIn(other), false);
        const all = await send(browser, { all: '1' });
        assert.equal(all.status, 403);
        const last = await browser.post(page, { ...formFields(all.body), current: user.password });
        assert.equal(last.headers.location, '/auth/login?signed-out');
    });

    it('want a form of ours that says one thing', async () => {
        const browser = await signInWith(at, addUser(at), agents.firefox);
        for (const fields of [{}, { id: '0123456789abcdef', all: '1' }]) {
            assert.equal((await send(browser, fields)).status, 400);
        }
        for (const id of ['', 'x', '../../etc/passwd', '0123456789abcdeg', '0'.repeat(300)]) {
            assert.equal((await send(browser, { id })).status, 404, id);
        }
        assert.equal((await browser.post(page, { all: '1', csrf: 'made up' })).status, 403);
        assert.equal(await isSignedIn(browser), true);
        const nobody = new Browser(at.webs[0].port);
        assert.equal((await nobody.fetch(page)).headers.location, '/auth/login?next=%2Fauth%2Faccount%2Fsessions');
    });

    it('show what a browser says of itself as text only', async () => {
        const user = addUser(at);
        const browser = await signInWith(at, user, '<script>alert(1)</script> Firefox/1');
        const { body } = await browser.fetch(page);
        assert.ok(!body.includes('<script>alert'));
    });
}, { ...clocked, settings: { throttle: { attempts: '1000' } } });
