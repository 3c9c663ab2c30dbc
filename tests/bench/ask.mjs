// Requests in an exact number, where wrk knows only of seconds.
import http from 'node:http';

// Asks `count` times for `target`, with one of the cookies after the other, on so many connections.
// Whatever is not answered with 200 spoils the measurement.
export async function ask({ port, target, cookies, count, connections = 1, headers = {} }) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
    const askOnce = (cookie) => new Promise((resolve, reject) => {
        const outgoing = http.request({
            host: '127.0.0.1', port, path: target, agent, headers: { accept: '*/*', ...headers, cookie },
        }, (answer) => {
            answer.resume();
            answer.on('error', reject);
            answer.on('end', () => (answer.statusCode === 200 ? resolve()
                : reject(new Error(`${target} answers ${answer.statusCode}`))));
        });
        outgoing.on('error', reject);
        outgoing.end();
    });
    let next = 0;
    const askOn = async () => {
        while (next < count) await askOnce(cookies[next++ % cookies.length]);
    };
    try {
        await Promise.all(Array.from({ length: connections }, askOn));
    } finally {
        agent.destroy();
    }
}
