// Which lines of the logs are to be expected while processes are killed and configurations change.

const ours = [
    /^latchkey\[\d+\]: info: ready: /,
    /^latchkey\[\d+\]: info: the configuration is read again$/,
    /^latchkey\[\d+\]: info: (gate|login|logout|account) was replaced$/,
    /^latchkey\[\d+\]: error: (gate|login|logout|account) ended \(signal 9\); it is started again in \d+ s$/,
    /^(gate|login|logout|account)\[\d+\]: error: worker \d+ died of signal 9$/,
    /^login\[\d+\]: info: signed in: \w+$/,
    /^logout\[\d+\]: info: signed out: \w+$/,
    /^account\[\d+\]: info: (password set|a session was ended by its user): \w+$/,
    /^(login|account)\[\d+\]: warning: session\.secure_cookie = no: /,
    /^\w+\[\d+\]: info: .*cache\.db: the cache of sessions was made$/,
    // By lighttpd, after a process died that had accepted the connection and was not sent a byte yet.
    /^\w+\[\d+\]: warning: a connection was refused: a request that begins anew before its end, /,
    // By lighttpd, which hangs up as soon as it has the bytes that Content-Length announced: where the record that
    // ends the request did not fit into the same write (libfcgi's hold 8 KB), nobody takes it.
    /^\w+\[\d+\]: info: the web server did not take the answer$/,
    /^login\[\d+\]: warning: authentication failure; user=\w+ rhost=127\.0\.0\.1$/,
];
const nginx = /upstream prematurely closed connection|recv\(\) failed \(104|auth request unexpected status: 50\d|while reading response header|writev?\(\) failed|while sending request to upstream/;
const lighttpd = /server (started|stopped)|Connection reset by peer|response not received|unexpected end-of-file|connection was dropped|closed connection|broken|backend/i;

const before = 4; // lines that are told with a strange one: what happened just then

// Whatever else an installation and its web servers said, as { line, near }.
export function unexpected(at) {
    const strange = [];
    const sift = (name, output, isKnown) => {
        const lines = output.split('\n').filter(Boolean);
        lines.forEach((line, i) => {
            if (!isKnown(line)) strange.push({ line: `${at.store}, ${name}: ${line}`, near: lines.slice(Math.max(0, i - before), i + 2) });
        });
    };
    sift('latchkey', at.install.log, (line) => ours.some((one) => one.test(line)));
    for (const web of at.webs) sift(web.name, web.output, (line) => (web.name === 'nginx' ? nginx : lighttpd).test(line));
    return strange;
}
