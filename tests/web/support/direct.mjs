// Programs asked without a web server between.
import { spawnSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { programs } from './install.mjs';

// What a web server says of every request.
export const required = {
    REQUEST_METHOD: 'GET', REQUEST_URI: '/private/page.html', SERVER_PROTOCOL: 'HTTP/1.1',
    REMOTE_ADDR: '192.0.2.1',
};

export function parse(text) {
    const end = text.indexOf('\r\n\r\n');
    const lines = text.slice(0, Math.max(end, 0)).split('\r\n');
    return {
        status: Number(/^Status: (\d{3})(?: |$)/.exec(lines[0])?.[1] ?? 0),
        text,
        // Of several of one name the first: the session's cookie stands before that of known browsers.
        headers: Object.fromEntries(lines.slice(1).reverse().map((line) => {
            const at = line.indexOf(': ');
            return [line.slice(0, at).toLowerCase(), line.slice(at + 2)];
        })),
        cookies: lines.slice(1).filter((line) => /^set-cookie: /i.test(line)).map((line) => line.slice(12)),
        body: text.slice(end + 4),
    };
}

// Runs a program as CGI; `folder` may be another build's.
export function runCgi(install, program, variables, { args = [], input = '', folder = programs, ...more } = {}) {
    const result = spawnSync(path.join(folder, program), args, {
        env: { LATCHKEY_CONFIG: install.config, ...sanitizers(), ...variables }, input, encoding: 'utf8', ...more,
    });
    return { ...parse(result.stdout ?? ''), exit: result.status ?? result.signal, log: result.stderr };
}

// The options of the sanitizers, which are no part of a request.
export function sanitizers() {
    return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.endsWith('SAN_OPTIONS')));
}

export function record(type, content = '', { version = 1, id = 1, padding = 0 } = {}) {
    const bytes = Buffer.from(content);
    const header = Buffer.from([version, type, id >> 8, id & 255, bytes.length >> 8, bytes.length & 255, padding, 0]);
    return Buffer.concat([header, bytes, Buffer.alloc(padding)]);
}

export function pair(name, value) {
    const length = (text) => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE((Buffer.byteLength(text) | 0x80000000) >>> 0);
        return bytes;
    };
    return Buffer.concat([length(name), length(value), Buffer.from(name), Buffer.from(value)]);
}

const roles = { responder: 1, authorizer: 2 };

// The bytes of one FastCGI request, whose body is for a responder only.
export function fastcgiRequest(variables, role = 'responder', body = '') {
    const params = Buffer.concat(Object.entries(variables).map(([name, value]) => pair(name, value)));
    return Buffer.concat([
        record(1, Buffer.from([0, roles[role], 0, 0, 0, 0, 0, 0])),
        ...(params.length > 0 ? [record(4, params)] : []), record(4, Buffer.alloc(0)),
        ...(body.length > 0 ? [record(5, body)] : []),
        ...(role === 'responder' ? [record(5, Buffer.alloc(0))] : []),
    ]);
}

// What stands in the records of an answer. It has `ended` when it came to its end.
function parseRecords(bytes) {
    const parts = [];
    let ended = false;
    for (let at = 0; at + 8 <= bytes.length;) {
        const length = bytes.readUInt16BE(at + 4);
        if (bytes[at + 1] === 6) parts.push(bytes.subarray(at + 8, at + 8 + length));
        if (bytes[at + 1] === 3) ended = at + 16 <= bytes.length && bytes.readUInt32BE(at + 8) === 0 && bytes[at + 12] === 0;
        at += 8 + length + bytes[at + 6];
    }
    return { ...parse(Buffer.concat(parts).toString('utf8')), ended };
}

// Asks a program at its socket. A connection that is closed without an answer has status 0.
export function askFastcgi(socketPath, variables, role, { body, timeout } = {}) {
    return sendFastcgi(socketPath, fastcgiRequest(variables, role, body), { timeout });
}

// The same with bytes of any kind; with `half`, nothing is said to come after them.
export function sendFastcgi(socketPath, request, { half = false, timeout = 20000 } = {}) {
    return new Promise((resolve, reject) => {
        const parts = [];
        const finish = () => resolve(parseRecords(Buffer.concat(parts)));
        const socket = net.connect(socketPath, () => (half ? socket.end(request) : socket.write(request)));
        socket.setTimeout(timeout, () => socket.destroy(new Error('timeout')));
        socket.on('data', (more) => parts.push(more));
        socket.on('error', (error) => (['ECONNRESET', 'EPIPE'].includes(error.code) ? finish() : reject(error)));
        socket.on('close', finish);
    });
}
