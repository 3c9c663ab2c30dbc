// In which ways each call can fail.
import { constants } from 'node:os';

const { errno } = constants;
const once = 1;
const forever = 2 ** 40;

const fail = (...names) => names.map((name) => ({ how: 'before', error: errno[name] ?? name, word: name }));
const short = { how: 'short', error: 0, word: 'short' };
const after = (name) => ({ how: 'after', error: errno[name], word: `done, ${name}` });

// SQLite's result codes, as sqlite3.h has them: primary ones, and extended ones as primary + 256 n.
const primary = {
    ERROR: 1, INTERNAL: 2, PERM: 3, ABORT: 4, BUSY: 5, LOCKED: 6, NOMEM: 7, READONLY: 8, INTERRUPT: 9, IOERR: 10,
    CORRUPT: 11, NOTFOUND: 12, FULL: 13, CANTOPEN: 14, PROTOCOL: 15, EMPTY: 16, SCHEMA: 17, TOOBIG: 18, CONSTRAINT: 19,
    MISMATCH: 20, MISUSE: 21, NOLFS: 22, AUTH: 23, FORMAT: 24, RANGE: 25, NOTADB: 26,
};
const extended = {
    IOERR_READ: [10, 1], IOERR_SHORT_READ: [10, 2], IOERR_WRITE: [10, 3], IOERR_FSYNC: [10, 4], IOERR_DIR_FSYNC: [10, 5],
    IOERR_TRUNCATE: [10, 6], IOERR_FSTAT: [10, 7], IOERR_UNLOCK: [10, 8], IOERR_RDLOCK: [10, 9], IOERR_NOMEM: [10, 12],
    IOERR_ACCESS: [10, 13], IOERR_LOCK: [10, 15], IOERR_CLOSE: [10, 16], IOERR_SHMOPEN: [10, 18], IOERR_SHMSIZE: [10, 19],
    IOERR_SHMLOCK: [10, 20], IOERR_SHMMAP: [10, 21], IOERR_MMAP: [10, 24], IOERR_CORRUPTFS: [10, 33],
    BUSY_RECOVERY: [5, 1], BUSY_SNAPSHOT: [5, 2], BUSY_TIMEOUT: [5, 3], LOCKED_SHAREDCACHE: [6, 1],
    CANTOPEN_ISDIR: [14, 2], CANTOPEN_DIRTYWAL: [14, 5], CANTOPEN_SYMLINK: [14, 6], CORRUPT_SEQUENCE: [11, 2],
    CORRUPT_INDEX: [11, 3], READONLY_RECOVERY: [8, 1], READONLY_CANTLOCK: [8, 2], READONLY_DBMOVED: [8, 4],
    READONLY_CANTINIT: [8, 5], READONLY_DIRECTORY: [8, 6], ABORT_ROLLBACK: [4, 2], CONSTRAINT_CHECK: [19, 1],
    CONSTRAINT_COMMITHOOK: [19, 2], CONSTRAINT_FOREIGNKEY: [19, 3], CONSTRAINT_NOTNULL: [19, 5],
    CONSTRAINT_PRIMARYKEY: [19, 6], CONSTRAINT_UNIQUE: [19, 8], CONSTRAINT_ROWID: [19, 10], CONSTRAINT_DATATYPE: [19, 12],
    ERROR_MISSING_COLLSEQ: [1, 1], ERROR_SNAPSHOT: [1, 3],
};
const codes = { ...primary, ...Object.fromEntries(Object.entries(extended).map(([word, [low, high]]) => [word, low + 256 * high])) };
const result = (...words) => words.map((word) => ({ how: 'before', error: codes[word], word }));
const late = (...words) => words.map((word) => ({ how: 'after', error: codes[word], word: `done, ${word}` }));
// That a key or a name is there already is an answer, and no failure.
const every = result(...Object.keys(codes).filter((word) => !['CONSTRAINT_PRIMARYKEY', 'CONSTRAINT_UNIQUE'].includes(word)));
const some = result('NOMEM', 'BUSY', 'IOERR_READ', 'CORRUPT', 'AUTH');

const memory = { ways: fail('ENOMEM'), spans: [once, forever] };
const rarely = (...names) => ({ ways: fail(...names), spans: [once] });
const often = (...names) => ({ ways: fail(...names), spans: [once, forever] });

// `spans`: how many calls in a row fail.
export const calls = {
    malloc: memory, calloc: memory, realloc: memory, strdup: memory, strndup: memory, mmap: memory, mremap: memory,
    mprotect: often('ENOMEM'), madvise: often('EINVAL'), mlock: often('ENOMEM'),
    open: often('EMFILE', 'EACCES', 'EIO', 'EINTR'),
    close: { ways: [after('EIO'), after('EINTR')], spans: [once, forever] },
    read: { ways: [...fail('EIO', 'EINTR', 'EAGAIN'), short], spans: [once] },
    pread: { ways: [...fail('EIO', 'EINTR'), short], spans: [once, forever] },
    write: { ways: [...fail('EIO', 'ENOSPC', 'EINTR', 'EPIPE'), short], spans: [once] },
    pwrite: { ways: [...fail('EIO', 'ENOSPC', 'EINTR'), short], spans: [once, forever] },
    fsync: { ways: [...fail('EIO'), after('EIO')], spans: [once, forever] },
    fdatasync: { ways: [...fail('EIO'), after('EIO')], spans: [once, forever] },
    ftruncate: often('EIO', 'ENOSPC'), fcntl: { ways: fail('EAGAIN', 'ENOLCK', 'EIO'), spans: [once] },
    flock: rarely('ENOLCK', 'EINTR', 'EWOULDBLOCK'),
    stat: often('EIO', 'ENOENT', 'EACCES'), lstat: often('EIO', 'ENOENT'), fstat: often('EIO'), access: often('EACCES'),
    realpath: often('EIO'), unlink: often('EACCES'),
    rename: { ways: [...fail('EIO'), after('EIO')], spans: [once] }, link: { ways: [...fail('EIO'), after('EIO')], spans: [once] },
    mkdir: rarely('ENOSPC'), mkostemp: rarely('ENOSPC'), fchmod: rarely('EPERM'), fchown: rarely('EPERM'), dup2: rarely('EMFILE'),
    tmpfile: rarely('EACCES', 'EMFILE'), fseek: rarely('ENOSPC', 'EIO'), opendir: rarely('EMFILE'), readdir: rarely('EIO'),
    socket: often('EMFILE'), socketpair: often('EMFILE'), connect: often('ECONNREFUSED'),
    accept4: rarely('EMFILE', 'ENOBUFS', 'ECONNABORTED', 'EINTR', 'EAGAIN'),
    recv: { ways: [...fail('ECONNRESET', 'ENOMEM'), short], spans: [once] },
    recvmsg: rarely('ENOMEM', 'EINTR', 'EAGAIN'), send: { ways: [...fail('EPIPE', 'ENOBUFS'), short], spans: [once] },
    sendmsg: often('ENOBUFS', 'EAGAIN'), setsockopt: often('ENOBUFS'), getsockname: often('ENOBUFS'), ioctl: often('EIO'),
    poll: rarely('EINTR', 'ENOMEM'), epoll_create1: often('EMFILE'), epoll_ctl: rarely('ENOMEM', 'ENOSPC'),
    epoll_wait: rarely('EINTR'), signalfd: often('EMFILE'),
    inotify_init1: often('EMFILE'), inotify_add_watch: often('ENOSPC'),
    getrandom: { ways: [...fail('ENOSYS', 'EINTR', 'EIO'), short], spans: [once, forever] },
    getentropy: often('ENOSYS'),
    clock_gettime: { ways: fail('EINVAL'), spans: [once, 12] }, // while it fails, no wait has an end
    nanosleep: rarely('EINTR'), fork: rarely('EAGAIN'),
    setrlimit: rarely('EPERM'), prctl: rarely('EINVAL'), getpwnam: rarely('EIO'),
    sqlite3_open_v2: { ways: [...every, ...late('NOMEM', 'CANTOPEN')], spans: [once, forever] },
    sqlite3_prepare_v3: { ways: every, spans: [once] },
    sqlite3_step: { ways: [...every, ...late('BUSY', 'IOERR_READ', 'FULL', 'NOMEM')], spans: [once] },
    sqlite3_exec: { ways: [...every, ...late('BUSY', 'IOERR_FSYNC', 'FULL', 'NOMEM')], spans: [once] },
    sqlite3_bind_int64: { ways: result('NOMEM', 'RANGE'), spans: [once] },
    sqlite3_bind_text64: { ways: result('NOMEM', 'TOOBIG'), spans: [once] },
    sqlite3_bind_blob64: { ways: result('NOMEM', 'TOOBIG'), spans: [once] },
    sqlite3_db_config: { ways: some, spans: [once] }, sqlite3_busy_handler: { ways: some, spans: [once] },
    sqlite3_set_authorizer: { ways: some, spans: [once] },
    sqlite3_wal_checkpoint_v2: { ways: [...some, ...late('BUSY', 'IOERR_FSYNC')], spans: [once] },
};

// All faults of a function but their place, each { name, how, error, word, span }. What passes by
// itself does not last: whoever tries again then does right.
export const faultsOf = (name) => calls[name].spans.flatMap((span) =>
    calls[name].ways.filter(({ word }) => span === once || !['EINTR', 'EAGAIN', 'short'].includes(word))
        .map((way) => ({ name, span, ...way })));

export const describeFault = ({ name, word, nth, span }) => `${name} ${nth}${span > 1 ? '+' : ''}: ${word}`;
