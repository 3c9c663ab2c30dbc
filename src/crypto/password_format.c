/* The text forms of password hashes.
 *
 * A stored hash decides how much memory and time its check takes, and comes from a database or from
 * a file that somebody imported. So it is read here in full, field by field, before crypt(3) or
 * libsodium get it: those would follow "$2b$31$" for days, and have had faults in their own
 * parsers. What the parsers below let through, the libraries take; a hash whose last characters
 * carry bits that the scheme does not use could never match, and is refused as malformed rather
 * than left to deny in silence.
 *
 * All forms are fields between dollar signs, the first one empty. */
#include "crypto/password_format.h"

#include <string.h>

#include "crypto/password.h"

#define FIELDS_MAX 6

struct fields {
    struct text at[FIELDS_MAX];
    size_t count; /* FIELDS_MAX + 1 when there are more */
};

/* Returns NULL, or what is wrong. */
typedef const char *parse_function(const struct fields *fields, struct password_format *out);

static const char out_of_bounds[] = "its cost is out of bounds";

static struct fields split(struct text hash)
{
    struct fields fields = {0};
    while (hash.data != NULL && fields.count <= FIELDS_MAX) {
        struct text field = text_cut(&hash, '$');
        if (fields.count < FIELDS_MAX) {
            fields.at[fields.count] = field;
        }
        fields.count++;
    }
    return fields;
}

/* Whether there are `min` to `max` characters, all letters, digits or one of `others`. */
static bool is_run(struct text text, size_t min, size_t max, const char *others)
{
    return text.len >= min && text.len <= max && text_consists_of(text, others);
}

static bool is_crypt_run(struct text text, size_t min, size_t max)
{
    return is_run(text, min, max, "./");
}

/* Whether base64 of that many characters stands for whole bytes. */
static bool is_whole_bytes(struct text text)
{
    return text.len % 4 != 1;
}

static bool ends_in(struct text text, const char *characters)
{
    char last = text.len > 0 ? text.data[text.len - 1] : '\0';
    return last != '\0' && strchr(characters, last) != NULL;
}

/* Reads "name=number" in its only spelling. */
static bool parse_setting(struct text text, const char *name, uint64_t *out)
{
    struct text value = text;
    struct text found = text_cut(&value, '=');
    return text_is(found, name) && value.len > 0 && value.data[0] != '0' &&
           text_parse_number(value, UINT32_MAX, out) == OK;
}

/* $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH */
static const char *parse_argon2id(const struct fields *fields, struct password_format *out)
{
    if (fields->count != 6 || !text_is(fields->at[2], "v=19")) {
        return "its argon2id text is malformed or of another version than 19";
    }
    uint64_t lanes = 0;
    struct text costs = fields->at[3];
    struct text memory = text_cut(&costs, ',');
    struct text passes = text_cut(&costs, ',');
    if (!parse_setting(memory, "m", &out->memory_kib) ||
        !parse_setting(passes, "t", &out->passes) || !parse_setting(costs, "p", &lanes)) {
        return "its argon2id parameters are malformed";
    }
    if (out->memory_kib < PASSWORD_MEMORY_KIB_MIN || out->memory_kib > PASSWORD_MEMORY_KIB_MAX ||
        out->passes > PASSWORD_PASSES_MAX || lanes != 1) {
        return out_of_bounds;
    }
    struct text salt = fields->at[4];
    struct text hash = fields->at[5];
    if (!is_run(salt, 11, 43, "+/") || !is_whole_bytes(salt) || !is_run(hash, 22, 43, "+/") ||
        !is_whole_bytes(hash)) {
        return "its argon2id salt or hash is malformed";
    }
    out->salt_len = salt.len;
    out->hash_len = hash.len;
    return NULL;
}

/* $2b$05$ and 22 characters of salt (128 bits), 31 of hash (184 bits) */
static const char *parse_bcrypt(const struct fields *fields, struct password_format *out)
{
    (void)out;
    uint64_t cost = 0;
    if (fields->count != 4 || fields->at[2].len != 2 ||
        text_parse_number(fields->at[2], 99, &cost) != OK || !is_crypt_run(fields->at[3], 53, 53)) {
        return "its bcrypt text is malformed";
    }
    if (cost < 4 || cost > 15) {
        return out_of_bounds;
    }
    struct text salt = {fields->at[3].data, 22};
    if (!ends_in(salt, ".Oeu") || !ends_in(fields->at[3], ".26CGKOSWaeimquy")) {
        return "its bcrypt salt or hash has stray bits at its end";
    }
    return NULL;
}

/* $6$SALT$HASH or $6$rounds=5000$SALT$HASH, and the same with $5$ */
static const char *parse_sha_crypt(const struct fields *fields, struct password_format *out)
{
    (void)out;
    uint64_t rounds = 5000;
    size_t hash_len = text_is(fields->at[1], "6") ? 86 : 43;
    if (fields->count != 4 && fields->count != 5) {
        return "its SHA-crypt text is malformed";
    }
    if (fields->count == 5 && !parse_setting(fields->at[2], "rounds", &rounds)) {
        return "its SHA-crypt rounds are malformed";
    }
    if (rounds < 1000 || rounds > 1000000) {
        return out_of_bounds;
    }
    if (!is_crypt_run(fields->at[fields->count - 2], 1, 16) ||
        !is_crypt_run(fields->at[fields->count - 1], hash_len, hash_len)) {
        return "its SHA-crypt salt or hash is malformed";
    }
    return NULL;
}

/* What a character of crypt's base64 counts for; text is checked before. */
static unsigned crypt_digit(char c)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    return found != NULL ? (unsigned)(found - digits) : 0;
}

/* $y$jNr$SALT$HASH: "j" is the default flavour, then the binary logarithm of N less 1, then r less
 * 1. Numbers from 48 up take further characters, and are out of bounds anyway, as are the optional
 * parameters p, t, g and NROM, of which crypt writes none. */
static const char *parse_yescrypt(const struct fields *fields, struct password_format *out)
{
    (void)out;
    if (fields->count != 5 || !is_crypt_run(fields->at[2], 3, 3) || fields->at[2].data[0] != 'j') {
        return "its yescrypt parameters are malformed or not those that crypt(3) writes";
    }
    unsigned log2_n = crypt_digit(fields->at[2].data[1]) + 1;
    unsigned r = crypt_digit(fields->at[2].data[2]) + 1;
    if (log2_n < 10 || log2_n > 16 || r < 8 || r > 32) {
        return out_of_bounds;
    }
    if (!is_crypt_run(fields->at[3], 2, 86) || !is_whole_bytes(fields->at[3]) ||
        !is_crypt_run(fields->at[4], 43, 43)) {
        return "its yescrypt salt or hash is malformed";
    }
    return NULL;
}

static const struct {
    const char *name;
    enum password_scheme scheme;
    parse_function *parse;
} forms[] = {
    {"argon2id", PASSWORD_SCHEME_ARGON2ID, parse_argon2id},
    {"2b", PASSWORD_SCHEME_BCRYPT, parse_bcrypt},
    {"2y", PASSWORD_SCHEME_BCRYPT, parse_bcrypt},
    {"2a", PASSWORD_SCHEME_BCRYPT, parse_bcrypt},
    {"y", PASSWORD_SCHEME_YESCRYPT, parse_yescrypt},
    {"6", PASSWORD_SCHEME_SHA_CRYPT, parse_sha_crypt},
    {"5", PASSWORD_SCHEME_SHA_CRYPT, parse_sha_crypt},
};

enum status password_format_parse(const char *hash, struct password_format *out, const char **why)
{
    if (hash == NULL || strnlen(hash, PASSWORD_HASH_MAX) == PASSWORD_HASH_MAX) {
        *why = "it is missing or too long";
        return ERR_INPUT;
    }
    if (text_is(text_of(hash), PASSWORD_HASH_NONE)) {
        *why = "no password was set yet";
        return ERR_INPUT;
    }
    struct fields fields = split(text_of(hash));
    if (fields.count < 2 || fields.at[0].len != 0) {
        *why = "it does not begin as a password hash";
        return ERR_INPUT;
    }
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text_is(fields.at[1], forms[i].name)) {
            struct password_format format = {.scheme = forms[i].scheme};
            const char *wrong = forms[i].parse(&fields, &format);
            if (wrong != NULL) {
                *why = wrong;
                return ERR_INPUT;
            }
            *out = format;
            return OK;
        }
    }
    *why = "its scheme is not one that is supported (argon2id, bcrypt, yescrypt, SHA-crypt)";
    return ERR_INPUT;
}
