/* The links of the audit log's chain, and where it begins and ends. For the files audit*.c only. */
#ifndef LATCHKEY_STORE_AUDIT_CHAIN_H
#define LATCHKEY_STORE_AUDIT_CHAIN_H

#include "crypto/digest.h"
#include "crypto/mac.h"
#include "store/audit.h"
#include "store/call.h"

#define AUDIT_ID_MAX (INT64_MAX / 2) /* no log comes as far; whatever is beyond was put there */

/* A row with what makes it a link. */
struct audit_link {
    struct audit_row row;
    int64_t secret_id;
    uint8_t digest[DIGEST_BYTES];
    uint8_t tag[MAC_BYTES];
};

/* Zeroed, nothing says where the log begins and ends. */
struct audit_ends {
    int64_t first, last;
    uint8_t before[DIGEST_BYTES]; /* digest of the row before the first */
    uint8_t digest[DIGEST_BYTES]; /* of the last row */
    int64_t secret_id;
    uint8_t tag[MAC_BYTES];
};

enum audit_tag {
    AUDIT_TAG_WRONG = 0,
    AUDIT_TAG_RIGHT,
    AUDIT_TAG_UNKNOWN, /* made with a secret that the keyring does not have */
};

/* Reads the present row of a statement that gives AUDIT_FIELDS. False: it holds what audit_note
 * does not write. */
bool audit_link_read(struct call *call, struct audit_link *out) MUST_USE;

/* The digest that the row should have after the one of digest `before`. */
void audit_link_digest(const uint8_t before[DIGEST_BYTES], const struct audit_link *link,
                       uint8_t out[DIGEST_BYTES]);

/* Whether the row, after that digest, has the digest that it should have. */
bool audit_link_follows(const uint8_t before[DIGEST_BYTES], const struct audit_link *link);

/* Signs the row's digest, or what is said of both ends, with the secret `secret_id`, which must
 * stand there already. ERR_NOT_FOUND: the keyring does not have it. */
enum status audit_link_sign(const struct keyring *keyring, struct audit_link *link) MUST_USE;
enum status audit_ends_sign(const struct keyring *keyring, struct audit_ends *ends) MUST_USE;

/* What the tags are worth to the holder of a keyring; NULL knows no secret. */
enum audit_tag audit_link_judge(const struct keyring *keyring, const struct audit_link *link);
enum audit_tag audit_ends_judge(const struct keyring *keyring, const struct audit_ends *ends);

/* Reads the one row of AUDIT_ENDS_GET, to which `call` was moved; false as above. Zeros when
 * nothing is recorded. */
bool audit_ends_read(struct call *call, struct audit_ends *out) MUST_USE;

#endif
