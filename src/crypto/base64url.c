/* base64url in exactly one spelling.
 *
 * When the bits of the bytes do not fill the last character, several texts mean the same bytes;
 * then whoever changes a token a little would still hold a good one, and lists of used tokens would
 * miss it. libsodium refuses most of that; what it gives is written again and compared, so that
 * nothing rests on how strict a library is. */
#include "crypto/base64url.h"

#include <sodium.h>

#include "base/secret.h"

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

void base64url_encode(const uint8_t *bytes, size_t len, char *out)
{
    (void)sodium_bin2base64(out, BASE64URL_LEN(len) + 1, bytes, len, VARIANT);
}

enum status base64url_decode(struct text text, uint8_t *out, size_t len)
{
    char again[BASE64URL_LEN(BASE64URL_BYTES_MAX) + 1];
    enum status status = ERR_INPUT;
    size_t got = 0;
    if (len <= BASE64URL_BYTES_MAX && text.len == BASE64URL_LEN(len) &&
        sodium_base642bin(out, len, text.data, text.len, NULL, &got, NULL, VARIANT) == 0 &&
        got == len) {
        base64url_encode(out, len, again);
        if (secret_is_equal(again, text.data, text.len)) {
            status = OK;
        }
    }
    if (status != OK) {
        secret_wipe(out, len);
    }
    secret_wipe(again, sizeof again);
    return status;
}
