/* The form of the chain.
 *
 * digest = SHA-256(digest of the row before | id | at_s | user_id | broken | secret_id
 *                  | act | outcome | user | address | program | detail)
 * tag    = HMAC-SHA-256(key of secret_id, "row"  | digest)
 * tag    = HMAC-SHA-256(key of secret_id, "ends" | first | before | last | digest | secret_id)
 *
 * Numbers are 8 bytes, big-endian; each text has its length before it as such a number, so that no
 * two rows are the same bytes. The key is the one for KEY_AUDIT. Digest and tag are compared in
 * constant time: whoever can write rows and ask for a verification must not learn a tag byte by
 * byte. */
#include "store/audit_chain.h"

#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"

enum {
    NUMBER = 8,
    ROW_NUMBERS = 5,
    ROW_TEXTS = 6,
    ROW_BYTES_MAX = DIGEST_BYTES + (ROW_NUMBERS + ROW_TEXTS) * NUMBER + sizeof(struct audit_row),
};

/* Bytes on the stack, of a length that is bounded by what is put in. */
struct encoding {
    uint8_t bytes[ROW_BYTES_MAX];
    size_t len;
};

static void put_bytes(struct encoding *encoding, const void *bytes, size_t len)
{
    memcpy(encoding->bytes + encoding->len, bytes, len);
    encoding->len += len;
}

static void put_number(struct encoding *encoding, int64_t number)
{
    bytes_put_number(encoding->bytes + encoding->len, (uint64_t)number, NUMBER);
    encoding->len += NUMBER;
}

static void put_text(struct encoding *encoding, const char *string)
{
    struct text text = text_of(string);
    put_number(encoding, (int64_t)text.len);
    put_bytes(encoding, text.data, text.len);
}

static struct text encoded(const struct encoding *encoding)
{
    return (struct text){(const char *)encoding->bytes, encoding->len};
}

bool audit_link_read(struct call *call, struct audit_link *out)
{
    struct audit_row *row = &out->row;
    row->id = db_column_int64(call->statement, 0);
    row->at_s = db_column_int64(call->statement, 1);
    row->user_id = db_column_int64(call->statement, 4);
    int64_t broken = db_column_int64(call->statement, 9);
    row->broken = broken != 0;
    out->secret_id = db_column_int64(call->statement, 10);
    return row->id > 0 && row->id < AUDIT_ID_MAX && (broken == 0 || broken == 1) &&
           call_get_string(call, 2, row->act, sizeof row->act) &&
           call_get_string(call, 3, row->outcome, sizeof row->outcome) &&
           call_get_string(call, 5, row->user, sizeof row->user) &&
           call_get_string(call, 6, row->address, sizeof row->address) &&
           call_get_string(call, 7, row->program, sizeof row->program) &&
           call_get_string(call, 8, row->detail, sizeof row->detail) &&
           call_get_bytes(call, 11, out->digest, sizeof out->digest) &&
           call_get_bytes(call, 12, out->tag, sizeof out->tag);
}

void audit_link_digest(const uint8_t before[DIGEST_BYTES], const struct audit_link *link,
                       uint8_t out[DIGEST_BYTES])
{
    const struct audit_row *row = &link->row;
    struct encoding encoding = {.len = 0};
    put_bytes(&encoding, before, DIGEST_BYTES);
    put_number(&encoding, row->id);
    put_number(&encoding, row->at_s);
    put_number(&encoding, row->user_id);
    put_number(&encoding, row->broken ? 1 : 0);
    put_number(&encoding, link->secret_id);
    put_text(&encoding, row->act);
    put_text(&encoding, row->outcome);
    put_text(&encoding, row->user);
    put_text(&encoding, row->address);
    put_text(&encoding, row->program);
    put_text(&encoding, row->detail);
    digest_sha256(encoded(&encoding), out);
}

bool audit_link_follows(const uint8_t before[DIGEST_BYTES], const struct audit_link *link)
{
    uint8_t digest[DIGEST_BYTES];
    audit_link_digest(before, link, digest);
    return secret_is_equal(digest, link->digest, sizeof digest);
}

static const uint8_t *find_key(const struct keyring *keyring, int64_t secret_id)
{
    if (keyring == NULL || secret_id < 0 || secret_id > UINT32_MAX) {
        return NULL;
    }
    return keyring_get_key(keyring, (uint32_t)secret_id, KEY_AUDIT);
}

/* False: there is no such secret. */
static bool make_tag(const struct keyring *keyring, int64_t secret_id,
                     const struct encoding *encoding, uint8_t out[MAC_BYTES])
{
    const uint8_t *key = find_key(keyring, secret_id);
    if (key == NULL) {
        return false;
    }
    mac_sha256((struct text){(const char *)key, KEY_BYTES}, encoded(encoding), out);
    return true;
}

/* The right tag of what was altered is a secret: it is wiped. */
static enum audit_tag judge(const struct keyring *keyring, int64_t secret_id,
                            const struct encoding *encoding, const uint8_t given[MAC_BYTES])
{
    uint8_t tag[MAC_BYTES] = {0};
    enum audit_tag found = AUDIT_TAG_UNKNOWN;
    if (make_tag(keyring, secret_id, encoding, tag)) {
        found = secret_is_equal(given, tag, MAC_BYTES) ? AUDIT_TAG_RIGHT : AUDIT_TAG_WRONG;
    }
    secret_wipe(tag, sizeof tag);
    return found;
}

static void encode_link(const struct audit_link *link, struct encoding *out)
{
    put_bytes(out, "row", 3);
    put_bytes(out, link->digest, DIGEST_BYTES);
}

static void encode_ends(const struct audit_ends *ends, struct encoding *out)
{
    put_bytes(out, "ends", 4);
    put_number(out, ends->first);
    put_bytes(out, ends->before, DIGEST_BYTES);
    put_number(out, ends->last);
    put_bytes(out, ends->digest, DIGEST_BYTES);
    put_number(out, ends->secret_id);
}

enum status audit_link_sign(const struct keyring *keyring, struct audit_link *link)
{
    struct encoding encoding = {.len = 0};
    encode_link(link, &encoding);
    return make_tag(keyring, link->secret_id, &encoding, link->tag) ? OK : ERR_NOT_FOUND;
}

enum status audit_ends_sign(const struct keyring *keyring, struct audit_ends *ends)
{
    struct encoding encoding = {.len = 0};
    encode_ends(ends, &encoding);
    return make_tag(keyring, ends->secret_id, &encoding, ends->tag) ? OK : ERR_NOT_FOUND;
}

enum audit_tag audit_link_judge(const struct keyring *keyring, const struct audit_link *link)
{
    struct encoding encoding = {.len = 0};
    encode_link(link, &encoding);
    return judge(keyring, link->secret_id, &encoding, link->tag);
}

enum audit_tag audit_ends_judge(const struct keyring *keyring, const struct audit_ends *ends)
{
    struct encoding encoding = {.len = 0};
    encode_ends(ends, &encoding);
    return judge(keyring, ends->secret_id, &encoding, ends->tag);
}

bool audit_ends_read(struct call *call, struct audit_ends *out)
{
    *out = (struct audit_ends){
        .first = db_column_int64(call->statement, 0),
        .last = db_column_int64(call->statement, 2),
        .secret_id = db_column_int64(call->statement, 4),
    };
    if (out->first == 0) {
        return true;
    }
    return out->first > 0 && out->first < AUDIT_ID_MAX && out->last >= 0 &&
           out->last < AUDIT_ID_MAX && call_get_bytes(call, 1, out->before, sizeof out->before) &&
           call_get_bytes(call, 3, out->digest, sizeof out->digest) &&
           call_get_bytes(call, 5, out->tag, sizeof out->tag);
}
