// Tokens as somebody can make them who has the secret (the layouts stand in src/crypto/token.h and
// src/session/sealed.c).
import { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export const kinds = { anonymous: 'a', database: 's', cache: 'c', cookie: 'e', device: 'd' };

export function readSecret(at) {
    const [id, secret] = readFileSync(path.join(at.install.state, 'secret'), 'utf8').split('\n')[0].split(' ');
    const derive = (info) => Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64url'), '', info, 32));
    return {
        id: Buffer.from(id, 'hex'), token: derive('latchkey 1 token'), seal: derive('latchkey 1 seal'),
        csrf: derive('latchkey 1 csrf'),
    };
}

function number(value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    return bytes;
}

const header = (secret, kind) => Buffer.concat([Buffer.from([1]), Buffer.from(kind), secret.id]);
const asCookie = (...parts) => `latchkey=${Buffer.concat(parts).toString('base64url')}`;

// `key` may be that of another purpose.
export function forgePlain(secret, kind, id, issued, key = secret.token) {
    const bytes = Buffer.concat([header(secret, kind), number(issued), id]);
    return asCookie(bytes, createHmac('sha256', key).update(bytes).digest());
}

// A sealed session as it would be made at `now`, but for what `more` says of it.
export function forgeSealed(secret, id, user, now, more = {}) {
    const said = { key: secret.seal, issued: now, created: now, idle: 7200, expires: now + 86400, remember: 0,
        ...more };
    const random = randomBytes(24);
    const begin = Buffer.concat([header(secret, kinds.cookie), random]);
    const material = Buffer.from(hkdfSync('sha256', said.key, random, 'latchkey 1 sealed token', 44));
    const cipher = createCipheriv('aes-256-gcm', material.subarray(0, 32), material.subarray(32));
    cipher.setAAD(begin);
    const sealed = cipher.update(Buffer.concat([
        number(said.issued), id, number(user.id), user.salt, number(said.created), number(said.idle),
        number(said.expires), Buffer.from([said.remember]),
    ]));
    return asCookie(begin, sealed, cipher.final(), cipher.getAuthTag());
}
