// Programs that are run to their end while others go on.
import { spawn } from 'node:child_process';

// Resolves to { status: the exit status or the signal, output, errors }. With `kill_ms` it gets `signal`
// after that long.
export function runToEnd([command, ...words], { env, input = '', kill_ms, signal = 'SIGKILL' } = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, words, { env, stdio: ['pipe', 'pipe', 'pipe'] });
        const timer = kill_ms === undefined ? undefined : setTimeout(() => child.kill(signal), kill_ms);
        const texts = { stdout: '', stderr: '' };
        for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => { texts[name] += text; });
        child.stdin.on('error', () => {}).end(input);
        child.on('error', reject);
        child.on('close', (code, by) => {
            clearTimeout(timer);
            resolve({ status: code ?? by, output: texts.stdout, errors: texts.stderr });
        });
    });
}
