/* base64url in exactly one spelling.
 *
 * When the bits of the bytes do not fill the last character, several texts mean the same bytes;
 * then whoever changes a token a little would still hold a good one, and lists of used tokens would
 * miss it. libsodium refuses most of that; what it gives is written again and compared, piece by
 * piece, so that nothing rests on how strict a library is. */
#include "crypto/base64url.h"

#include <sodium.h>

#include "base/secret.h"

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

#define PIECE_BYTES 96

_Static_assert(PIECE_BYTES % 3 == 0, "a piece leaves no bit over to the next one");

void base64url_encode(const uint8_t *bytes, size_t len, char *out)
{
    (void)sodium_bin2base64(out, BASE64URL_LEN(len) + 1, bytes, len, VARIANT);
}

/* Whether the text is what base64url_encode writes for the bytes; it has that length. */
static bool is_spelling_of(struct text text, const uint8_t *bytes, size_t len)
{
    char again[BASE64URL_LEN(PIECE_BYTES) + 1];
    bool same = true;
    for (size_t at = 0; at < len; at += PIECE_BYTES) {
        size_t piece = len - at < PIECE_BYTES ? len - at : PIECE_BYTES;
        base64url_encode(bytes + at, piece, again);
        /* All pieces are looked at, so that time does not tell which one it was. */
        if (!secret_is_equal(again, text.data + BASE64URL_LEN(at), BASE64URL_LEN(piece))) {
            same = false;
        }
    }
    secret_wipe(again, sizeof again);
    return same;
}

enum status base64url_decode(struct text text, uint8_t *out, size_t len)
{
    enum status status = ERR_INPUT;
    size_t got = 0;
    if (len <= BASE64URL_BYTES_MAX && text.len == BASE64URL_LEN(len) &&
        sodium_base642bin(out, len, text.data, text.len, NULL, &got, NULL, VARIANT) == 0 &&
        got == len && is_spelling_of(text, out, len)) {
        status = OK;
    }
    if (status != OK) {
        secret_wipe(out, len);
    }
    return status;
}
