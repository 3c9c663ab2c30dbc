/* What a call came to. Failures are a status; decisions are a verdict; the two never mix. */
#ifndef LATCHKEY_BASE_STATUS_H
#define LATCHKEY_BASE_STATUS_H

#define MUST_USE __attribute__((warn_unused_result))

/* The outcome of a call that can fail. Whoever knows the cause logs it, once. */
enum status {
    OK = 0,
    ERR_MEMORY,     /* an allocation failed, or a fixed limit of memory was reached */
    ERR_SYSTEM,     /* a system call failed */
    ERR_INPUT,      /* what came from outside is malformed */
    ERR_TOO_LARGE,  /* well-formed, but over a limit */
    ERR_NOT_FOUND,  /* nothing of that name, or no longer */
    ERR_EXISTS,     /* something of that name is there already */
    ERR_BUSY,       /* somebody else is at it; not worth waiting for */
    ERR_STORE,      /* the database cannot answer now: busy, full, corrupt, missing */
    ERR_SCHEMA_OLD, /* the database wants `latchkey migrate` */
    ERR_SCHEMA_NEW, /* the database was written by a newer program */
    ERR_CRYPTO,     /* a cryptographic library refused */
    ERR_PERMISSION, /* a file may be read or written by somebody it must not be */
};

/* A decision. Compare with `== ALLOW` only, so that zeroed memory denies. */
enum verdict { DENY = 0, ALLOW = 1 };

/* A status in words, for logs; static storage, never NULL. */
const char *status_text(enum status status);

#endif
