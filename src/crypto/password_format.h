/* The text forms of password hashes, read in full before any library sees them. */
#ifndef LATCHKEY_CRYPTO_PASSWORD_FORMAT_H
#define LATCHKEY_CRYPTO_PASSWORD_FORMAT_H

#include "base/text.h"

enum password_scheme {
    PASSWORD_SCHEME_NONE = 0,
    PASSWORD_SCHEME_ARGON2ID,
    PASSWORD_SCHEME_BCRYPT,
    PASSWORD_SCHEME_YESCRYPT,
    PASSWORD_SCHEME_SHA_CRYPT,
};

/* Bounds of argon2id's cost, for hashes that are read and those that are made. */
#define PASSWORD_MEMORY_KIB_MIN 8
#define PASSWORD_MEMORY_KIB_MAX ((size_t)256 * 1024)
#define PASSWORD_PASSES_MAX     16

struct password_format {
    enum password_scheme scheme;
    uint64_t memory_kib; /* argon2id only, as the next ones */
    uint64_t passes;
    size_t salt_len; /* characters */
    size_t hash_len;
};

/* Reads a hash. ERR_INPUT for whatever password.h does not list, with *why static words for a
 * person; *out untouched then. NULL is such a hash. */
enum status password_format_parse(const char *hash, struct password_format *out, const char **why)
    MUST_USE;

#endif
