/* base64url in exactly one spelling.
 *
 * When the bits of the bytes do not fill the last character, several texts mean the same bytes;
 * then whoever changes a token a little would still hold a good one, and lists of used tokens would
 * miss it. So the bits left over must be zeros, and every other character is refused, paddings and
 * line ends among them.
 *
 * Texts are read with each request, by a loop of ours that has no branch and no table for what it
 * reads, so that time tells nothing of a cookie; of which compilers make vector instructions.
 * libsodium's reader has the first property as well, but with one character after the other it
 * takes ten times as long, which was most of what a token costs; and with a writer of the same kind
 * beside it, programs that see no password start without libsodium. */
#include "crypto/base64url.h"

#include <string.h>

#include "base/secret.h"

#define PIECE_LEN   64
#define PIECE_BYTES ((size_t)PIECE_LEN / 4 * 3)

/* Part of a text, and the bytes that it stands for. A secret. */
struct piece {
    uint8_t digits[PIECE_LEN];
    uint8_t bytes[PIECE_BYTES];
};

/* `distance` if the value is over the limit, both small, and 0 otherwise; by subtraction, for of a
 * comparison compilers make a branch here. */
static unsigned beyond(unsigned limit, unsigned value, unsigned distance)
{
    return (limit - value) >> 8 & distance;
}

/* The digit for a value below 64. The runs of digits lie apart: a value beyond the end of one moves
 * on by what is between it and the next. */
static char digit_of(unsigned value)
{
    return (char)(value + 'A' + beyond(25, value, 'a' - 'A' - 26) -
                  beyond(51, value, 'a' + 26 - '0') - beyond(61, value, '0' + 10 - '-') +
                  beyond(62, value, '_' - '-' - 1));
}

void base64url_encode(const uint8_t *bytes, size_t len, char *out)
{
    unsigned bits = 0;
    unsigned count = 0; /* of bits that are still to be written */
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 6; count -= 6) {
            *out++ = digit_of(bits >> (count - 6) & 63);
        }
    }
    if (count > 0) {
        *out++ = digit_of(bits << (6 - count) & 63);
    }
    *out = '\0';
}

/* All bits if c is among the `count` characters from `first` on, none otherwise. */
static uint8_t within(uint8_t c, uint8_t first, uint8_t count)
{
    return (uint8_t) - ((uint8_t)(c - first) < count);
}

/* Puts the value of each digit in its place. Whether all were digits. */
static bool take_values(uint8_t digits[PIECE_LEN])
{
    uint8_t foreign = 0;
    for (size_t i = 0; i < PIECE_LEN; i++) {
        uint8_t c = digits[i];
        uint8_t upper = within(c, 'A', 26);
        uint8_t lower = within(c, 'a', 26);
        uint8_t number = within(c, '0', 10);
        uint8_t dash = within(c, '-', 1);
        uint8_t line = within(c, '_', 1);
        foreign |= (uint8_t) ~(upper | lower | number | dash | line);
        digits[i] = (uint8_t)((upper & (c - 'A')) | (lower & (c - 'a' + 26)) |
                              (number & (c - '0' + 52)) | (dash & 62) | (line & 63));
    }
    return foreign == 0;
}

static void join_values(struct piece *piece)
{
    for (size_t i = 0; i < PIECE_LEN / 4; i++) {
        const uint8_t *values = piece->digits + 4 * i;
        uint8_t *bytes = piece->bytes + 3 * i;
        bytes[0] = (uint8_t)(values[0] << 2 | values[1] >> 4);
        bytes[1] = (uint8_t)(values[1] << 4 | values[2] >> 2);
        bytes[2] = (uint8_t)(values[2] << 6 | values[3]);
    }
}

/* Reads up to PIECE_LEN characters, fewer at the end of a text only. Whether they are the one
 * spelling of the bytes. */
static bool take_piece(struct piece *piece, struct text text, uint8_t *out)
{
    size_t len = text.len * 3 / 4;
    /* What is missing becomes zeros. So the byte after the last one is made of the bits that are
     * left over. */
    memset(piece->digits, 'A', sizeof piece->digits);
    memcpy(piece->digits, text.data, text.len);
    bool good = take_values(piece->digits);
    join_values(piece);
    memcpy(out, piece->bytes, len);
    return (len == PIECE_BYTES || piece->bytes[len] == 0) && good;
}

enum status base64url_decode(struct text text, uint8_t *out, size_t len)
{
    struct piece piece;
    size_t bad = 0;
    if (len > BASE64URL_BYTES_MAX || text.len != BASE64URL_LEN(len)) {
        secret_wipe(out, len);
        return ERR_INPUT;
    }
    for (size_t done = 0; done < len; done += PIECE_BYTES) {
        struct text rest = text_from(text, BASE64URL_LEN(done));
        rest.len = rest.len < PIECE_LEN ? rest.len : PIECE_LEN;
        bad += !take_piece(&piece, rest, out + done);
    }
    secret_wipe(&piece, sizeof piece);
    if (bad > 0) {
        secret_wipe(out, len);
        return ERR_INPUT;
    }
    return OK;
}
