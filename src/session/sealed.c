/* The body of a sealed token. Only what was sealed with one of our secrets is read here, so that a
 * body which does not fit means a fault of ours: it is refused all the same. */
#include "session/sealed.h"

#include <string.h>

#include "base/bytes.h"

#define NUMBER_BYTES 8

enum {
    AT_USER = 0,
    AT_SALT = AT_USER + NUMBER_BYTES,
    AT_CREATED = AT_SALT + USER_SALT_BYTES,
    AT_IDLE = AT_CREATED + NUMBER_BYTES,
    AT_EXPIRES = AT_IDLE + NUMBER_BYTES,
    AT_REMEMBER = AT_EXPIRES + NUMBER_BYTES,
};

_Static_assert(AT_REMEMBER + 1 == SEALED_FIXED_BYTES, "the layout of a sealed session");

/* What is written is never negative, so -1 is what sealed_unpack refuses in each field. */
static void put_number(uint8_t *out, int64_t number)
{
    bytes_put_number(out, (uint64_t)number, NUMBER_BYTES);
}

static int64_t get_number(const uint8_t *bytes)
{
    uint64_t number = bytes_get_number(bytes, NUMBER_BYTES);
    return number <= INT64_MAX ? (int64_t)number : -1;
}

enum status sealed_pack(const struct session_row *row, struct text data, struct token *token)
{
    if (data.len > TOKEN_BODY_MAX - SEALED_FIXED_BYTES) {
        return ERR_TOO_LARGE;
    }
    uint8_t *body = token->body;
    put_number(body + AT_USER, row->user_id);
    memcpy(body + AT_SALT, row->salt, USER_SALT_BYTES);
    put_number(body + AT_CREATED, row->created_s);
    put_number(body + AT_IDLE, row->idle_s);
    put_number(body + AT_EXPIRES, row->expires_s);
    body[AT_REMEMBER] = row->remember ? 1 : 0;
    if (data.len > 0) {
        memcpy(body + SEALED_FIXED_BYTES, data.data, data.len);
    }
    token->body_len = SEALED_FIXED_BYTES + data.len;
    return OK;
}

enum status sealed_unpack(const struct token *token, struct session_row *row)
{
    const uint8_t *body = token->body;
    if (token->body_len < SEALED_FIXED_BYTES || body[AT_REMEMBER] > 1) {
        return ERR_INPUT;
    }
    int64_t user_id = get_number(body + AT_USER);
    int64_t created_s = get_number(body + AT_CREATED);
    int64_t idle_s = get_number(body + AT_IDLE);
    int64_t expires_s = get_number(body + AT_EXPIRES);
    if (user_id <= 0 || created_s <= 0 || idle_s <= 0 || expires_s <= created_s) {
        return ERR_INPUT;
    }
    memcpy(row->salt, body + AT_SALT, sizeof row->salt);
    row->user_id = user_id;
    row->created_s = created_s;
    row->seen_s = token->issued_s;
    row->idle_s = idle_s;
    row->expires_s = expires_s;
    row->remember = body[AT_REMEMBER] == 1;
    row->address[0] = '\0';
    row->agent[0] = '\0';
    return OK;
}

struct text sealed_data(const struct token *token)
{
    size_t fixed = token->body_len < SEALED_FIXED_BYTES ? token->body_len : SEALED_FIXED_BYTES;
    return (struct text){(const char *)token->body + fixed, token->body_len - fixed};
}
