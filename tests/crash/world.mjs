// An installation with people and sessions, of which is known what must be so; and ways to ask it, by
// programs that start for the question and by programs that run all the time.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from '../web/support/child.mjs';
import { askFastcgi, parse, required } from '../web/support/direct.mjs';
import { formType } from '../web/support/forms.mjs';
import { encodeForm, formFields } from '../web/support/http.mjs';
import { Install, plainExamples, plainLatchkey, plainPrograms } from '../web/support/install.mjs';
import { settingsFor } from '../web/support/stores.mjs';

export const cgi = (program) => path.join(plainPrograms, program);
export const cart = path.join(plainExamples, 'cart');

export const settings = { workers: { login: 4, logout: 4, account: 4, gate: 2 }, throttle: { attempts: 1000000 } };

// Waits for all of them, also when one fails, so that each puts away what it has made.
export async function together(tasks) {
    const results = await Promise.allSettled(tasks);
    const failed = results.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
}

// The cookie that an answer sets, "name=token", or nothing.
export const cookieOf = (answer) => /^(latchkey=[\w-]+)/.exec(answer.headers['set-cookie'] ?? '')?.[1];

// Of { target, cookie, form }, what a web server says (`variables`) and sends (`input`); a form makes it
// a POST.
export function describe({ target, cookie, form }) {
    const input = form === undefined ? '' : encodeForm(form);
    const [pathname, query = ''] = target.split('?');
    return {
        input,
        variables: {
            ...required, REQUEST_METHOD: form === undefined ? 'GET' : 'POST', REQUEST_URI: target, SCRIPT_NAME: pathname,
            QUERY_STRING: query, HTTP_ACCEPT: target.startsWith('/private/') ? 'application/json' : 'text/html',
            ...(cookie && { HTTP_COOKIE: cookie }),
            ...(form !== undefined && { CONTENT_TYPE: formType, CONTENT_LENGTH: String(input.length) }),
        },
    };
}

export class World {
    constructor(store, isLive) {
        Object.assign(this, { store, isLive, users: new Map(), sessions: [], ended: [], number: 0, rotations: 0 });
        this.install = new Install(settingsFor(store, settings), plainLatchkey);
        this.env = this.install.env;
    }

    get name() {
        return `${this.store} store, programs ${this.isLive ? 'that run' : 'started for each request'}`;
    }

    // `env` is for the programs that run.
    async open(env = {}) {
        this.install.do(['init']);
        if (this.isLive) await this.install.serve({ env });
        for (let i = 0; i < 3; i++) await this.addUser();
        await this.renewForm();
        return this;
    }

    async close() {
        return this.install.close();
    }

    newName() {
        return `user${++this.number}`;
    }

    async addUser() {
        const user = { name: this.newName(), password: `the long sentence ${this.number}`, isLocked: false };
        await this.do(['user', 'add', user.name, '--password-stdin'], `${user.password}\n`);
        this.users.set(user.name, user);
        return user;
    }

    // The command, for what must work.
    async do(words, input) {
        const result = await runToEnd([plainLatchkey, ...words], { env: this.env, input });
        assert.equal(result.status, 0, `latchkey ${words.join(' ')}: ${result.errors}`);
        return result.output;
    }

    // A request to a program that starts for it.
    async askNew(program, request) {
        const { input, variables } = describe(request);
        return parse((await runToEnd([program === 'cart' ? cart : cgi(program)], { env: { ...this.env, ...variables }, input })).output);
    }

    // The same to one that runs; one of the workers.
    askRunning(program, request) {
        const { input, variables } = describe(request);
        return askFastcgi(this.install.socket(program), variables, 'responder', { body: input });
    }

    ask(program, request) {
        return this.isLive && program !== 'cart' ? this.askRunning(program, request) : this.askNew(program, request);
    }

    // A login form that may be sent again and again.
    async renewForm() {
        const page = await this.askNew('login', { target: '/auth/login' });
        this.form = { cookie: cookieOf(page), csrf: formFields(page.body).csrf };
    }

    signInRequest({ name, password }) {
        return { target: '/auth/login', cookie: this.form.cookie, form: { csrf: this.form.csrf, username: name, password } };
    }

    // A new session of the user.
    async signIn(user) {
        const answer = await this.ask('login', this.signInRequest(user));
        assert.equal(answer.status, 303, `${user.name} cannot sign in: ${answer.status}`);
        return this.remember(user, cookieOf(answer));
    }

    remember(user, cookie) {
        const session = { user, cookie };
        this.sessions.push(session);
        return session;
    }

    // Whoever they are, they are over for good.
    end(which) {
        for (const session of this.sessions.filter(which)) this.ended.push(session);
        this.sessions = this.sessions.filter((session) => !which(session));
        this.ended = this.ended.slice(-30);
    }

    // The value that goes with a session's forms on a page.
    async csrfOf(session, target) {
        const page = await this.ask(target.startsWith('/auth/logout') ? 'logout' : 'account', { target, cookie: session.cookie });
        assert.equal(page.status, 200, `${target}: ${page.status}`);
        return formFields(page.body).csrf;
    }

    // Whether the gate lets a cookie pass: programs that run and programs that start must agree.
    async passes({ cookie }) {
        const request = { target: '/private/page.html', cookie };
        const answers = [await this.askNew('gate', request)];
        if (this.isLive) answers.push(await this.askRunning('gate', request), await this.askRunning('gate', request));
        const [status, ...others] = answers.map((answer) => answer.status);
        assert.ok([204, 401].includes(status), `the gate says ${status}`);
        assert.ok(others.every((other) => other === status), `the gate does not agree with itself: ${status}, ${others}`);
        return status === 204;
    }

    // Whether a password lets in. The session that it begins is not kept.
    async isGood(user, password = user.password) {
        const { status } = await this.ask('login', this.signInRequest({ ...user, password }));
        assert.ok([303, 403].includes(status), `the login page says ${status}`);
        return status === 303;
    }

    // The users as the command lists them, { name: { locked } }.
    async listUsers() {
        return Object.fromEntries(JSON.parse(await this.do(['user', 'list', '--json'])).map((listed) => [listed.user, listed]));
    }

    // The lines of the secret file, each of which must be whole.
    readSecrets() {
        const lines = readFileSync(path.join(this.install.state, 'secret'), 'latin1').split('\n');
        assert.equal(lines.pop(), '', 'the secret file is cut');
        for (const line of lines) assert.match(line, /^[0-9a-f]{8} [\w-]{43}$/, 'the secret file holds something else');
        return lines;
    }

    get database() {
        return path.join(this.install.state, 'latchkey.db');
    }

    async sql(text, file = this.database) {
        const { output, errors, status } = await runToEnd(['sqlite3', '-cmd', '.timeout 5000', file, text], { env: this.env });
        assert.equal(status, 0, errors);
        return output.trim();
    }

    // What must be so at any time.
    async checkWhole() {
        assert.equal(await this.sql('PRAGMA integrity_check; PRAGMA foreign_key_check'), 'ok');
        assert.equal(await this.sql('SELECT count(*) FROM user'), String(this.users.size));
        const { output, errors } = await runToEnd([plainLatchkey, 'audit', 'verify'], { env: this.env });
        assert.ok(this.hasBreak || !errors, `audit verify: ${output}${errors}`);
    }
}
