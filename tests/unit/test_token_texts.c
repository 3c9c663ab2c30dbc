/* Texts and csrf values as they were written with OpenSSL. Cookies of that time are in browsers:
 * what reads and writes them now must agree with it in every bit, whatever library computes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/token.h"
#include "scratch.h"
#include "tables.h"

/* When the first of them was issued. */
#define FIRST_S INT64_C(1764000000)

static const struct {
    enum token_kind kind;
    size_t body_len;
    const char *text;
    const char *csrf;
} written[] = {
    {TOKEN_ANONYMOUS, 0,
     "AWH-3LqYAAAAAGkkgQAABw4VHCMqMTg_Rk1UW2JpcHd-hYyTmqGor7a9xMvS2b6fopUPWBOoD4RIx2zQlHPaanB8ReND"
     "RNUsX5Ilmpgm",
     "CPI5AWcq_VSo6SxcenWkodwOvXjwbuUUhMdRWJoGZwc"},
    {TOKEN_STORED, 0,
     "AXP-3LqYAAAAAGkkgQEBCA8WHSQrMjlAR05VXGNqcXh_ho2Um6KpsLe-xczT2tTOWPB2G8dLxbLqUwzMIhydL9e9ZtZW"
     "sYqk727GyG41",
     "ix-0UIavINmEdxVDI1oztvhokFhyOxcvGgZfJURSvHk"},
    {TOKEN_CACHED, 0,
     "AWP-3LqYAAAAAGkkgQICCRAXHiUsMzpBSE9WXWRrcnmAh46VnKOqsbi_xs3U20yWSWjjeLKzavnSSRQKRKGy057BwgQm"
     "ffhX6489FTuV",
     "n6_1s7YHO9-FiIFOcmoY1wFwssBbyltUVmzrbOLzmEY"},
    {TOKEN_SEALED, 0,
     "AWX-3LqY9MJXljIkrB7DiMB9mF2RNjp1r_6eW-X5fkzc6OszYjD1ND4tGHuwUg1yi9WXmUyclJhCLekFz5VSAnUTuTiP"
     "9DovRg-cymEWAebkVrmtsb4",
     "9B3IHCIw3Zzd3yBuTTz9tZLyNQoGkyZ59VX-Cokr6y8"},
    {TOKEN_SEALED, 150,
     "AWX-3LqYun1DXUp5z82YzShpy58BSRYB3xxuGaXjZ1fGsXQiBLkWDWzRLl0RTr5sFa3f6VUaAmFsa4EyrfJLZwY2jiWr"
     "iVvbWPxTlGV4oopdeBLeD5Y4Tu2ayue7t5RqTBqnwuNE_wDuTvm9qkJw-dngBadYpeIsfNBFbw1uhEG5pG72w14KvXgh"
     "pOV1CGc6fqRKD1KCpZSYqc2mckOJUqKDA-KPt2Wf0IEvdg8FoZXPfoVDLsOucLCyYXUVUdyfRq5v-HT15IJgIfiSSKEa"
     "Q2XFzW2m5No1oqwT6Ncwq6dXwQMCsTBssap6dhI",
     "zeRxFLuk5wwFNLwMJb5vLcdcPcLnjOk2tCCShrOSRZI"},
};

static struct keyring *keyring;

static int open_keyring(void **state)
{
    (void)state;
    const char *secrets = "fedcba98 IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI\n"
                          "0000000c ERERERERERERERERERERERERERERERERERERERERERE\n";
    return keyring_open(scratch_write("secret", secrets), KEYS_ALL, &keyring) == OK ? 0 : -1;
}

static int close_keyring(void **state)
{
    (void)state;
    keyring_free(&keyring);
    return 0;
}

/* What was written as the text of that number. */
static struct token make_token(size_t number)
{
    struct token token = {
        .kind = written[number].kind,
        .issued_s = FIRST_S + (int64_t)number,
        .body_len = written[number].body_len,
    };
    for (size_t i = 0; i < TOKEN_ID_BYTES; i++) {
        token.id[i] = (uint8_t)(7 * i + number);
    }
    for (size_t i = 0; i < token.body_len; i++) {
        token.body[i] = (uint8_t)(5 * i);
    }
    return token;
}

static void texts_of_former_programs_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(written); i++) {
        struct token wanted = make_token(i);
        struct token token = {0};
        assert_int_equal(token_decode(keyring, text_of(written[i].text), &token), OK);
        assert_int_equal(token.kind, wanted.kind);
        assert_true(token.issued_s == wanted.issued_s);
        assert_memory_equal(token.id, wanted.id, TOKEN_ID_BYTES);
        assert_int_equal(token.body_len, wanted.body_len);
        assert_memory_equal(token.body, wanted.body, wanted.body_len);
    }
}

static void plain_texts_are_written_as_by_former_programs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(written) && written[i].kind != TOKEN_SEALED; i++) {
        struct token token = make_token(i);
        char text[TOKEN_TEXT_MAX + 1];
        assert_int_equal(token_encode(keyring, &token, text), OK);
        assert_string_equal(text, written[i].text);
    }
}

static void csrf_values_are_those_of_former_programs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(written); i++) {
        struct token token = make_token(i);
        char csrf[CSRF_TEXT_LEN + 1];
        assert_int_equal(token_csrf_encode(keyring, &token, csrf), OK);
        assert_string_equal(csrf, written[i].csrf);
        assert_int_equal(token_csrf_check(keyring, &token, text_of(written[i].csrf)), ALLOW);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_former_programs_are_read),
        cmocka_unit_test(plain_texts_are_written_as_by_former_programs),
        cmocka_unit_test(csrf_values_are_those_of_former_programs),
    };
    return cmocka_run_group_tests(tests, open_keyring, close_keyring);
}
