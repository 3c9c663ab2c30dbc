// Somebody at a browser, whose every answer is judged: as the model of this person says, or an error
// that is accounted for by a process that was killed while it had the request, or a failure.
import { setTimeout as sleep } from 'node:timers/promises';
import { formType } from '../web/support/forms.mjs';
import { Browser, encodeForm, formFields, request } from '../web/support/http.mjs';
import { secret } from '../web/support/servers.mjs';

const triesMax = 20;
const slack_ms = 30; // between a signal and the moment that was noted for it

export const page = '/private/page.html';

// Which programs have a hand in the answer.
const served = [
    ['/auth/login', ['login']], ['/auth/logout', ['logout']], ['/auth/', ['account']], ['/private/', ['gate']],
];
const programsOf = (target) => served.find(([prefix]) => target.startsWith(prefix))?.[1] ?? [];

export const pick = (list) => list[Math.floor(Math.random() * list.length)];
export const between = (least, most) => least + Math.floor(Math.random() * (most - least + 1));

export class Person {
    // `at` holds the installation, its web servers and what is counted; `user` is { name, password }.
    constructor(at, user) {
        Object.assign(this, { at, user, browser: new Browser(at.webs[0].port) });
    }

    get cookie() {
        return this.browser.cookie;
    }

    fail(what) {
        this.at.count.failures.push(`${new Date().toISOString()} ${this.at.store}, ${this.user.name}: ${what}`);
    }

    // Judges what came of a request: the answer, or undefined when it was lost with a process.
    account(web, target, begun, answer, error) {
        const { count, kills } = this.at;
        const ended = Date.now();
        count.requests++;
        count.waits_ms.push(ended - begun);
        if (!error && answer.status < 500) return answer;
        const shown = error ? (error.code ?? error.message) : answer.status;
        const programs = programsOf(target);
        const kill = kills.findLast(({ program, time }) => programs.includes(program) &&
            time >= begun - slack_ms && time <= ended + slack_ms);
        if (kill) count.lost.push({ web: web.name, program: kill.program, what: kill.what, shown });
        else this.fail(`${web.name} ${target}: ${shown} with no process killed`);
        return undefined;
    }

    // One request through one of the web servers; `cookie` may be another than the browser's.
    async send(target, { web = pick(this.at.webs), cookie, ...options } = {}) {
        const begun = Date.now();
        this.browser.port = web.port;
        try {
            const answer = cookie === undefined ? await this.browser.fetch(target, options)
                : await request(web.port, target, { ...options, headers: { ...options.headers, cookie } });
            return this.account(web, target, begun, answer);
        } catch (error) {
            return this.account(web, target, begun, undefined, error);
        }
    }

    // As somebody who presses "reload" until there is an answer.
    async get(target, options) {
        for (let i = 0; i < triesMax && !this.at.isOver; i++) {
            const answer = await this.send(target, options);
            if (answer) return answer;
        }
        throw new Error(`no answer to ${target}`);
    }

    // A page's form, sent back; undefined when the answer was lost: then it may have been done or not.
    async submit(target, fields) {
        const form = await this.get(target);
        return this.send(target.split('?')[0], {
            method: 'POST', body: encodeForm({ ...formFields(form.body), ...fields }), headers: { 'content-type': formType },
        });
    }

    expect(isTrue, what) {
        this.at.count.judged++;
        if (!isTrue) this.fail(what);
    }

    expectStatus(answer, wanted, what) {
        this.expect(answer.status === wanted, `${what}: ${answer.status} instead of ${wanted}`);
    }

    // Whether a cookie lets pass, as every web server has it; a lost answer is asked for again.
    async passes(cookie = this.cookie) {
        const told = new Set();
        for (const web of this.at.webs) {
            const answer = await this.get(page, { web, cookie, headers: { accept: 'application/json' } });
            this.expect([200, 401].includes(answer.status), `the gate: ${answer.status}`);
            this.expect((answer.status === 200) === answer.body.includes(secret), `the gate: ${answer.status} and the page`);
            told.add(answer.status === 200);
        }
        this.expect(told.size === 1, 'the web servers do not agree');
        return told.has(true);
    }

    // One attempt. Resolves to the status, or undefined when the answer was lost.
    async trySignIn(password = this.user.password, more = {}) {
        this.browser.jar.clear();
        return (await this.submit('/auth/login', { username: this.user.name, password, ...more }))?.status;
    }

    async signIn(more) {
        let status;
        for (let i = 0; i < triesMax && status === undefined && !this.at.isOver; i++) status = await this.trySignIn(undefined, more);
        this.expect(this.at.isOver || status === 303, `sign-in: ${status}`);
        return status === 303;
    }

    rest() {
        return sleep(between(0, 2 * this.at.pause_ms));
    }

    // Lives so again and again until all is over; a script that throws is a failure.
    async live(script) {
        while (!this.at.isOver) {
            try {
                await script();
            } catch (error) {
                if (!this.at.isOver) this.fail(error.stack.split('\n').slice(0, 3).join(' '));
            }
            await this.rest();
        }
    }
}
