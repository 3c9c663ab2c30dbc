// Answers read without mercy: whatever is no line of a header that we or a web server make fails.
import assert from 'node:assert/strict';

const names = new Set([
    // of web servers
    'date', 'server', 'connection', 'keep-alive', 'content-length', 'transfer-encoding', 'accept-ranges', 'etag',
    'last-modified', 'dav',
    // of the programs
    'status', 'location', 'set-cookie', 'content-type', 'cache-control', 'content-security-policy',
    'x-content-type-options', 'x-frame-options', 'referrer-policy', 'cross-origin-opener-policy',
    'cross-origin-resource-policy', 'clear-site-data', 'retry-after', 'allow',
    // of the gate
    'remote-user', 'remote-name', 'remote-email', 'remote-groups', 'variable-remote_user', 'variable-remote_name',
    'variable-remote_email', 'variable-remote_groups',
]);
const pair = /(__Host-|__Secure-)?latchkey(-device|-hops)?=[A-Za-z0-9_-]*/;
const attributes = /(; (Path=\/|Max-Age=\d+|Secure|HttpOnly|SameSite=Lax))+/;
const cookies = new RegExp(`^${pair.source}${attributes.source}$`);

// The lines of a header block, as [name, value] pairs with names in small letters.
export function readHeaders(block, what) {
    return block.split('\r\n').map((line) => {
        const [, name, value] = /^([A-Za-z][A-Za-z_-]*): ?([\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
        assert.ok(name !== undefined, `${what}: ${JSON.stringify(line)} is no header`);
        assert.ok(names.has(name.toLowerCase()), `${what}: a header ${name}`);
        if (/^set-cookie$/i.test(name)) assert.match(value, cookies, what);
        return [name.toLowerCase(), value];
    });
}

// The first answer of a web server in `text`, of which there must be one.
export function readAnswer(text, what) {
    const end = text.indexOf('\r\n\r\n');
    const [, status, block] = /^HTTP\/1\.[01] (\d{3})[^\r\n]*(?:\r\n([^]*))?$/.exec(text.slice(0, end)) ?? [];
    assert.ok(end > 0 && status !== undefined, `${what}: no answer: ${JSON.stringify(text.slice(0, 100))}`);
    return { status: Number(status), headers: readHeaders(block, what), body: text.slice(end + 4) };
}

// The same for what a program prints: its status comes first, and once.
export function readPrinted(text, what) {
    const end = text.indexOf('\r\n\r\n');
    assert.match(text, /^Status: \d{3} [A-Za-z ]+\r\n/, what);
    const headers = readHeaders(text.slice(0, end), what);
    assert.equal(headers.filter(([name]) => name === 'status').length, 1, what);
    return { status: Number(text.slice(8, 11)), headers, body: text.slice(end + 4) };
}
