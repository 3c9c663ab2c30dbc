// HTTP as a browser without comfort: nothing is followed, nothing is repaired.
import http from 'node:http';
import net from 'node:net';

const html = 'text/html,application/xhtml+xml,*/*;q=0.8';

// One request; `target` goes out as it is. Resolves to { status, headers, body, cookies }, where
// `cookies` is the list of Set-Cookie values.
export function request(port, target, { method = 'GET', headers = {}, body, timeout = 20000 } = {}) {
    return new Promise((resolve, reject) => {
        const outgoing = http.request({
            host: '127.0.0.1', port, path: target, method, timeout, agent: false,
            headers: { accept: html, ...headers },
        }, (answer) => {
            const parts = [];
            answer.on('data', (part) => parts.push(part));
            answer.on('error', reject);
            answer.on('end', () => resolve({
                status: answer.statusCode,
                headers: answer.headers,
                rawHeaders: answer.rawHeaders,
                cookies: answer.headers['set-cookie'] ?? [],
                body: Buffer.concat(parts).toString('utf8'),
            }));
        });
        outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
        outgoing.on('error', reject);
        outgoing.end(body);
    });
}

// Sends bytes as they are; resolves to all that came back until the server closed.
export function raw(port, bytes, timeout = 20000) {
    return new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
        let answer = '';
        socket.setTimeout(timeout, () => socket.destroy(new Error('timeout')));
        socket.setEncoding('latin1').on('data', (text) => { answer += text; });
        socket.on('error', (error) => (answer ? resolve(answer) : reject(error)));
        socket.on('close', () => resolve(answer));
    });
}

export const encodeForm = (fields) => new URLSearchParams(fields).toString();

// The hidden fields of the page's form.
export function formFields(page) {
    const fields = {};
    for (const [tag] of page.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
        const text = /value="([^"]*)"/.exec(tag)[1];
        fields[/name="([^"]*)"/.exec(tag)[1]] = text.replaceAll('&quot;', '"').replaceAll('&#39;', "'")
            .replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
    }
    return fields;
}

// A browser's memory of one site's cookies.
export class Browser {
    constructor(port) {
        this.port = port;
        this.jar = new Map();
    }

    get cookie() {
        return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ');
    }

    async fetch(target, options = {}) {
        const headers = { ...options.headers };
        if (this.jar.size > 0 && headers.cookie === undefined) headers.cookie = this.cookie;
        return this.keep(await request(this.port, target, { ...options, headers }));
    }

    // Puts the cookies of an answer into the jar.
    keep(answer) {
        for (const line of answer.cookies) {
            const [pair, ...attributes] = line.split(/; */);
            const at = pair.indexOf('=');
            const gone = attributes.some((attribute) => /^max-age=0$/i.test(attribute));
            if (gone) this.jar.delete(pair.slice(0, at));
            else this.jar.set(pair.slice(0, at), pair.slice(at + 1));
        }
        return answer;
    }

    post(target, fields, headers = {}) {
        return this.fetch(target, {
            method: 'POST',
            body: typeof fields === 'string' ? fields : encodeForm(fields),
            headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        });
    }

    // Gets the page and sends its form back with `fields` filled in.
    async submit(target, fields, headers) {
        const page = await this.fetch(target);
        return this.post(target.split('?')[0], { ...formFields(page.body), ...fields }, headers);
    }

    signIn(user, more = {}) {
        const { next, ...fields } = more;
        const query = next === undefined ? '' : `?next=${encodeURIComponent(next)}`;
        return this.submit(`/auth/login${query}`,
            { username: user.name, password: user.password, ...fields });
    }

    signOut() {
        return this.submit('/auth/logout', {});
    }
}
