// Programs behind the web server that tell what they were told, as lines "NAME=VALUE".
import http from 'node:http';
import net from 'node:net';

const listen = (server) => new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({
        port: server.address().port,
        stop: () => new Promise((done) => {
            server.closeAllConnections?.();
            server.close(done);
        }),
    }));
});

// HTTP: the headers as they came.
export const startHttp = () => listen(http.createServer((incoming, answer) => {
    const raw = incoming.rawHeaders;
    const lines = raw.flatMap((name, i) => (i % 2 === 0 ? [`${name}=${raw[i + 1]}\n`] : []));
    answer.setHeader('Connection', 'close');
    answer.end(lines.join(''));
}));

function readLength(bytes, at) {
    return bytes[at] < 0x80 ? [bytes[at], at + 1] : [bytes.readUInt32BE(at) & 0x7fffffff, at + 4];
}

export function printParams(bytes) {
    let text = '';
    for (let at = 0; at < bytes.length;) {
        let name, value;
        [name, at] = readLength(bytes, at);
        [value, at] = readLength(bytes, at);
        text += `${bytes.toString('utf8', at, at + name)}=${bytes.toString('utf8', at + name, at + name + value)}\n`;
        at += name + value;
    }
    return text;
}

function record(type, content) {
    const header = Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]);
    return Buffer.concat([header, content]);
}

// FastCGI: all parameters, also those that came twice. One request per connection.
export const startFastcgi = () => listen(net.createServer((socket) => {
    let bytes = Buffer.alloc(0);
    let params = Buffer.alloc(0);
    socket.on('error', () => {}).on('data', (more) => {
        bytes = Buffer.concat([bytes, more]);
        while (bytes.length >= 8) {
            const length = bytes.readUInt16BE(4);
            const end = 8 + length + bytes[6];
            if (bytes.length < end) return;
            if (bytes[1] === 4) params = Buffer.concat([params, bytes.subarray(8, 8 + length)]);
            if (bytes[1] === 5 && length === 0) {
                const answer = `Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n${printParams(params)}`;
                socket.end(Buffer.concat([record(6, Buffer.from(answer)), record(6, Buffer.alloc(0)),
                    record(3, Buffer.alloc(8))]));
            }
            bytes = bytes.subarray(end);
        }
    });
}));
