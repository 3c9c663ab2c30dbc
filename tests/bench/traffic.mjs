// People who come and go while something else is measured: so many sign-ins a second, each followed
// by that session's sign-out.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeForm, formFields, request } from '../web/support/http.mjs';
import { password } from './installation.mjs';

const connections = 8;
const enough = 0.9; // of what was to be done, or what was measured meanwhile is worth nothing
const people = 1000;

const pair = (setCookie) => setCookie.split(';')[0];

// A login form that may be sent again and again: { cookie, csrf }.
export async function openForm(port) {
    const form = await request(port, '/auth/login');
    return { cookie: pair(form.cookies[0]), csrf: formFields(form.body).csrf };
}

export const signInBody = (form, i) => encodeForm({ username: `person${i}`, password, csrf: form.csrf });

export class Traffic {
    constructor(port, perSecond) {
        this.port = port;
        this.perSecond = perSecond;
        this.agent = new http.Agent({ keepAlive: true, maxSockets: connections });
    }

    ask(target, expected, cookie, body) {
        return new Promise((resolve, reject) => {
            const outgoing = http.request({
                host: '127.0.0.1', port: this.port, path: target, agent: this.agent,
                method: body === undefined ? 'GET' : 'POST',
                headers: {
                    accept: 'text/html', cookie,
                    ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
                },
            }, (answer) => {
                let text = '';
                answer.setEncoding('utf8').on('data', (part) => { text += part; });
                answer.on('error', reject);
                answer.on('end', () => {
                    if (answer.statusCode === expected) resolve({ text, cookies: answer.headers['set-cookie'] ?? [] });
                    else reject(new Error(`${target} is answered with ${answer.statusCode} instead of ${expected}`));
                });
            });
            outgoing.on('error', reject);
            outgoing.end(body);
        });
    }

    async comeAndGo(i) {
        const { cookies } = await this.ask('/auth/login', 303, this.form.cookie, signInBody(this.form, i % people));
        const cookie = pair(cookies[0]);
        const { text } = await this.ask('/auth/logout', 200, cookie);
        const { csrf } = formFields(text);
        await this.ask('/auth/logout', 303, cookie, encodeForm({ csrf }));
        this.done++;
    }

    async start() {
        this.form = await openForm(this.port);
        this.done = 0;
        this.stopped = false;
        this.flow = this.keepGoing();
        this.flow.catch(() => {}); // told by stop
    }

    // One after the other begins when it is due, however long those before take.
    async keepGoing() {
        const begun = performance.now();
        const underWay = [];
        for (let i = 0; !this.stopped; i++) {
            underWay.push(this.comeAndGo(i));
            underWay.at(-1).catch(() => { this.stopped = true; });
            await sleep(Math.max(0, begun + (i + 1) * 1000 / this.perSecond - performance.now()));
        }
        await Promise.all(underWay);
        return this.done * 1000 / (performance.now() - begun);
    }

    // Lets those under way end; resolves to how many came and went a second.
    async stop() {
        this.stopped = true;
        const perSecond = await this.flow;
        this.agent.destroy();
        if (perSecond < enough * this.perSecond) {
            throw new Error(`only ${perSecond.toFixed(1)} of ${this.perSecond} sign-ins a second could be made`);
        }
        return perSecond;
    }
}
