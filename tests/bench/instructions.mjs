// Instructions: what callgrind counts in a program, by where they belong.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Service, until } from '../web/support/install.mjs';
import { makeFolder } from './scratch.mjs';

const patience_ms = 60000; // of a program that starts under callgrind on a busy machine

// (A socket is there a moment before somebody listens. Who does sees a connection come and go, once.)
const listensAt = (socket) => new Promise((resolve) => {
    const connection = net.connect(socket, () => connection.destroy());
    connection.on('error', () => resolve(false));
    connection.on('close', (failed) => resolve(!failed));
});

// Runs a FastCGI program under callgrind at `socket` while `work` runs, and then to its end. One that
// does not listen by itself (`listens`) gets the socket from spawn-fcgi. Resolves to { place:
// instructions } of all its processes, from their beginning: what a request takes is the difference
// of two such runs.
export async function countInstructions(scratch, { command, env, socket, listens = false }, work) {
    const folder = makeFolder(scratch.folder, 'callgrind');
    rmSync(socket, { force: true });
    const valgrind = ['valgrind', '--quiet', '--tool=callgrind',
        `--callgrind-out-file=${path.join(folder, '%p')}`, ...command];
    // spawn-fcgi looks in no PATH.
    const [first, ...rest] = listens ? valgrind
        : ['spawn-fcgi', '-n', '-s', socket, '--', '/usr/bin/env', ...valgrind];
    const service = scratch.keep(new Service(first, rest, { env }));
    await until('a program under callgrind', () => {
        if (!service.isRunning) throw new Error(`${command[0]} ended:\n${service.output}`);
        return listensAt(socket);
    }, patience_ms);
    await work();
    await scratch.stop(service);
    const counts = {};
    for (const name of readdirSync(folder)) {
        for (const [place, count] of Object.entries(readCounts(readFileSync(path.join(folder, name), 'utf8')))) {
            counts[place] = (counts[place] ?? 0) + count;
        }
    }
    rmSync(folder, { recursive: true });
    return counts;
}

// A library by its name; a program's own code by its room, src/ROOM.
function placeOf(object, file) {
    const library = /^(\w+)\.so\b/.exec(path.basename(object))?.[1];
    return library ?? /(?:^|\/)(src\/\w+)\//.exec(file)?.[1] ?? 'the program itself';
}

// Of callgrind's file format ("Callgrind Format Specification" in Valgrind's manual), the self cost.
// Names are spelt once, as "(3) name", and then are "(3)". The cost line after "calls=" is that of
// the called function, which has lines of its own.
export function readCounts(text) {
    const names = { ob: new Map(), fl: new Map() };
    const current = { ob: '', fl: '' };
    const counts = {};
    let isCall = false;
    const learn = (kind, id, name) => {
        if (name) names[kind].set(id, name);
        return names[kind].get(id);
    };
    for (const line of text.split('\n')) {
        const said = /^(c?)(ob|fl|fi|fe)=\((\d+)\)(?: (.*))?$/.exec(line);
        if (said) {
            const [, called, kind, id, name] = said;
            const value = learn(kind === 'ob' ? 'ob' : 'fl', id, name);
            if (!called && (kind === 'ob' || kind === 'fl')) current[kind] = value;
        } else if (line.startsWith('calls=')) {
            isCall = true;
        } else if (/^[+\-*\d]/.test(line)) {
            const place = placeOf(current.ob, current.fl);
            if (!isCall) counts[place] = (counts[place] ?? 0) + Number(line.split(' ')[1] ?? 0);
            isCall = false;
        }
    }
    return counts;
}
