#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "capture.h"
#include "crypto/password.h"
#include "tables.h"
#include "verdict_of.h"

#define KIB 1024

/* As cheap as libsodium allows: most tests are not about the cost. */
static const struct password_cost cheap = {8 * KIB, 1};

#define PHRASE "correct horse battery staple"
#define UMLAUTS                                                                                    \
    "Gr\xc3\xbc\xc3\x9f"                                                                           \
    "e, J\xc3\xbcrgen! \xc3\x9f"
#define X72 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Made by other programs: htpasswd -B, openssl passwd -5 and -6, Perl's crypt, and the reference
 * implementation of argon2 (its test.c). */
static const struct {
    const char *password;
    const char *hash;
} vectors[] = {
    {"password",
     "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
    {"password",
     "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
    {PHRASE, "$2y$04$rdEkXY.ZUiODt8udiuHLk.B/LEq4/3Z3moxH2HocR5Xh071o6YSq."},
    {UMLAUTS, "$2y$04$F4eVRyhYfv323F/AMLEBY.8V4XamrzLNCIMdIU0Cwrz2XA/EPxtc."},
    {X72, "$2y$04$50TA8jiB3BEiOwW4zi0qEOC0y.isE4k00sdzmO8yueXrZ/VjhQ8X6"},
    {"", "$2y$04$ihNNN6dLfhR2kLmv8uRxYes4wTvIFQWkmd6uhH7ac72jWU56svi2S"},
    {PHRASE, "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"},
    {PHRASE, "$2a$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"},
    {PHRASE, "$6$saltstring$qvPJY4PeugKzKQqyIJ0gRdJnpS0uaaiZ.X1SaheFedsK/"
             "yZPwlluTLS90fJPM41sD5JxCHKgGr1..qt5HqEY8."},
    {PHRASE, "$6$rounds=1000$saltsalt$j9Vf8YShD0koGhimfqidabEQeWmhpJ9YxprOCX."
             "iV89zcJPtewN9pJnLRum4UDiZcBurQvcQNMKwhpHywoJfV/"},
    {UMLAUTS, "$6$ab$hX.xx9go.wKYpiTtjG28/IdPOeawVtBXWs5Lw1cWHTboMBsDzGZ/jR.xwBs8lYSlwA4tFii/"
              "2FZRWVpSRPliI0"},
    {PHRASE, "$5$saltstring$hixOXgchwauyzVtlSM/e7UnQx0qiTk74JE/YU53IbE0"},
    {PHRASE, "$5$rounds=1000$saltsalt$TFDrLHsZ0msaZlw.ZViQNNRjyMG9kAB3KDkA8eLkI.."},
    {PHRASE, "$5$261RvjRAW1HU0hH6$et1tB3oi7mS/XciOHQljmt4sTibcjoAmzbW6OFgd/o5"},
    {PHRASE, "$y$j75$abcdefghijklmnopqrstu/$.4MO03URtYygYbYn/qNqr4pAzU26x1vl1BZw37piHBB"},
    {PHRASE, "$y$j9T$abcdefghijklmnopqrstu/$FwDrd/O2fCOhK1pDC6gJqDQ0ibKU.HODM/7jcmSBkhC"},
    {UMLAUTS, "$y$j75$abcdefghijklmnopqrstu/$k755bPtEy3d0QjJBN.l5nWkrP1Wuz4KrUunlXjRVoJD"},
};

static bool is_right(struct text password, const char *hash)
{
    return verdict_of(password, hash, &cheap, NULL) == ALLOW;
}

static void hashes_of_other_programs_are_known_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const char *why = NULL;
        if (!password_hash_is_acceptable(vectors[i].hash, &why)) {
            fail_msg("%s: %s", vectors[i].hash, why);
        }
        assert_null(why);
        if (!is_right(text_of(vectors[i].password), vectors[i].hash)) {
            fail_msg("not known again: %s", vectors[i].hash);
        }
    }
}

/* Passwords near to the right one, of which each must be wrong. */
static void assert_only_exact(const char *password, const char *hash)
{
    struct text exact = text_of(password);
    char near[128];
    assert_true(exact.len + 2 < sizeof near);
    memcpy(near, password, exact.len);
    static const char ends[] = "x \t\n\r.\0\xa0";
    for (size_t i = 0; i < sizeof ends; i++) {
        near[exact.len] = ends[i];
        assert_false(is_right((struct text){near, exact.len + 1}, hash));
    }
    memmove(near + 1, near, exact.len);
    near[0] = ' ';
    assert_false(is_right((struct text){near, exact.len + 1}, hash));
    if (exact.len > 0) {
        assert_false(is_right((struct text){password, exact.len - 1}, hash));
        assert_false(is_right((struct text){password + 1, exact.len - 1}, hash));
        assert_false(is_right(TEXT(""), hash));
        memcpy(near, password, exact.len);
        near[0] = (char)(near[0] ^ 0x20); /* the other case of a letter */
        assert_false(is_right((struct text){near, exact.len}, hash));
    }
}

static void a_password_that_is_not_exactly_the_same_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        if (strstr(vectors[i].hash, "m=65536") == NULL) { /* needs long */
            assert_only_exact(vectors[i].password, vectors[i].hash);
        }
    }
}

/* In UTF-8 the same letter may be one code point or two: other bytes are another password. */
static void another_unicode_form_is_another_password(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_MAX];
    assert_int_equal(password_hash(TEXT("caf\xc3\xa9"), &cheap, hash), OK);
    assert_true(is_right(TEXT("caf\xc3\xa9"), hash));
    assert_false(is_right(TEXT("cafe\xcc\x81"), hash));
    assert_false(is_right(TEXT("caf\xe9"), hash));
    assert_false(is_right(TEXT("cafe"), hash));
}

static void a_new_hash_is_argon2id_of_the_cost_and_known_again(void **state)
{
    (void)state;
    static const struct {
        struct password_cost cost;
        const char *start;
    } costs[] = {
        {{8 * KIB, 1}, "$argon2id$v=19$m=8,t=1,p=1$"},
        {{1024 * KIB, 3}, "$argon2id$v=19$m=1024,t=3,p=1$"},
        {{19456 * KIB, 2}, "$argon2id$v=19$m=19456,t=2,p=1$"},
    };
    for (size_t i = 0; i < COUNT(costs); i++) {
        char hash[PASSWORD_HASH_MAX];
        const char *why = NULL;
        bool stale = true;
        assert_int_equal(password_hash(TEXT(PHRASE), &costs[i].cost, hash), OK);
        assert_memory_equal(hash, costs[i].start, text_of(costs[i].start).len);
        assert_int_equal(text_of(hash).len, text_of(costs[i].start).len + 22 + 1 + 43);
        assert_true(password_hash_is_acceptable(hash, &why));
        assert_true(verdict_of(TEXT(PHRASE), hash, &costs[i].cost, &stale) == ALLOW);
        assert_false(stale);
    }
}

static void equal_passwords_have_different_salts(void **state)
{
    (void)state;
    char one[PASSWORD_HASH_MAX];
    char other[PASSWORD_HASH_MAX];
    size_t at = text_of("$argon2id$v=19$m=8,t=1,p=1$").len;
    assert_int_equal(password_hash(TEXT(PHRASE), &cheap, one), OK);
    assert_int_equal(password_hash(TEXT(PHRASE), &cheap, other), OK);
    assert_memory_equal(one, other, at);
    assert_memory_not_equal(one + at, other + at, 22);
    assert_string_not_equal(one + at + 22, other + at + 22);
}

static void passwords_go_up_to_1024_bytes_and_no_further(void **state)
{
    (void)state;
    char longest[PASSWORD_BYTES_MAX + 1];
    char hash[PASSWORD_HASH_MAX] = "untouched";
    memset(longest, 'x', sizeof longest);
    assert_int_equal(PASSWORD_BYTES_MAX, 1024);
    assert_int_equal(password_hash((struct text){longest, 1025}, &cheap, hash), ERR_INPUT);
    assert_string_equal(hash, "untouched");
    static const size_t lens[] = {0, 1, 64, 511, 512, 1023, 1024};
    for (size_t i = 0; i < COUNT(lens); i++) {
        assert_int_equal(password_hash((struct text){longest, lens[i]}, &cheap, hash), OK);
        assert_true(is_right((struct text){longest, lens[i]}, hash));
        assert_false(is_right((struct text){longest, lens[i] + 1}, hash));
    }
}

static void a_password_with_a_nul_cannot_be_set_and_is_wrong(void **state)
{
    (void)state;
    static const struct text texts[] = {
        {"\0", 1},
        {PHRASE "\0", sizeof PHRASE},
        {PHRASE "\0x", sizeof PHRASE + 1},
        {"\0" PHRASE, sizeof PHRASE},
        {"cor\0ect", 7},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        char hash[PASSWORD_HASH_MAX] = "untouched";
        assert_int_equal(password_hash(texts[i], &cheap, hash), ERR_INPUT);
        assert_string_equal(hash, "untouched");
        for (size_t j = 0; j < COUNT(vectors); j++) {
            assert_false(is_right(texts[i], vectors[j].hash));
        }
    }
}

/* bcrypt itself would take all of these for the 72 bytes that it reads. */
static void bcrypt_does_not_cut_a_password(void **state)
{
    (void)state;
    static const char hash[] = "$2y$04$50TA8jiB3BEiOwW4zi0qEOC0y.isE4k00sdzmO8yueXrZ/VjhQ8X6";
    assert_true(is_right(TEXT(X72), hash));
    assert_false(is_right(TEXT(X72 "x"), hash));
    assert_false(is_right(TEXT(X72 "and more"), hash));
    assert_false(is_right(TEXT(X72 X72), hash));
}

static void crypt_is_not_given_what_it_refuses(void **state)
{
    (void)state;
    static const char hash[] =
        "$6$ab$ndS3hufowWO1IIU/"
        "Wj1P9Q2zMU.q1YXgR3NWVJJ2yayJLYFUb0jkvDkSYtiHaiBEJi3LlyCEgCyPvF4SiUVH9.";
    char longest[PASSWORD_BYTES_MAX];
    memset(longest, 'x', sizeof longest);
    assert_true(is_right((struct text){longest, 511}, hash));
    capture_start();
    bool longer = is_right((struct text){longest, 512}, hash);
    bool much_longer = is_right((struct text){longest, 1024}, hash);
    bool complained = capture_next()[0] != '\0';
    capture_end();
    assert_false(longer);
    assert_false(much_longer);
    assert_false(complained);
}

static void stale_are_right_passwords_of_another_scheme_or_cost(void **state)
{
    (void)state;
    struct password_cost cost = {256 * KIB, 2};
    struct password_cost others[] = {
        {255 * KIB, 2}, {257 * KIB, 2}, {256 * KIB, 1}, {256 * KIB, 3}};
    char hash[PASSWORD_HASH_MAX];
    bool stale = true;
    assert_int_equal(password_hash(TEXT(PHRASE), &cost, hash), OK);
    assert_true(verdict_of(TEXT(PHRASE), hash, &cost, &stale) == ALLOW);
    assert_false(stale);
    for (size_t i = 0; i < COUNT(others); i++) {
        stale = false;
        assert_true(verdict_of(TEXT(PHRASE), hash, &others[i], &stale) == ALLOW);
        assert_true(stale);
        stale = true;
        assert_false(verdict_of(TEXT("wrong"), hash, &others[i], &stale) == ALLOW);
        assert_false(stale);
    }
    /* The first vector has this very cost, but a salt shorter than ours. */
    for (size_t i = 0; i < COUNT(vectors); i++) {
        stale = false;
        assert_true(verdict_of(text_of(vectors[i].password), vectors[i].hash, &cost, &stale) ==
                    ALLOW);
        assert_true(stale);
        stale = true;
        assert_false(verdict_of(TEXT("wrong"), vectors[i].hash, &cost, &stale) == ALLOW);
        assert_false(stale);
    }
}

/* A part of a kibibyte does not count, since argon2 counts in kibibytes. */
static void a_cost_between_two_kibibytes_is_not_stale_for_ever(void **state)
{
    (void)state;
    struct password_cost cost = {20 * KIB + 100, 1};
    char hash[PASSWORD_HASH_MAX];
    bool stale = true;
    assert_int_equal(password_hash(TEXT(PHRASE), &cost, hash), OK);
    assert_true(verdict_of(TEXT(PHRASE), hash, &cost, &stale) == ALLOW);
    assert_false(stale);
}

static void a_cost_out_of_bounds_makes_no_hash(void **state)
{
    (void)state;
    static const struct password_cost costs[] = {
        {0, 1},       {8 * KIB - 1, 1}, {256 * KIB * KIB + KIB, 1}, {UINT64_MAX, 1},
        {8 * KIB, 0}, {8 * KIB, 17},    {8 * KIB, UINT64_MAX},
    };
    for (size_t i = 0; i < COUNT(costs); i++) {
        char hash[PASSWORD_HASH_MAX] = "untouched";
        assert_int_equal(password_hash(TEXT(PHRASE), &costs[i], hash), ERR_INPUT);
        assert_string_equal(hash, "untouched");
    }
}

/* Those of test_password_format.c are refused by the same reader. */
static const char *const bad_hashes[] = {
    "",
    "*0",
    "$",
    PHRASE,
    "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
    "$2x$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "$2b$31$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "$5$rounds=999999999$saltsalt$TFDrLHsZ0msaZlw.ZViQNNRjyMG9kAB3KDkA8eLkI..",
    "$y$jzT$abcdefghijklmnopqrstu/$FwDrd/O2fCOhK1pDC6gJqDQ0ibKU.HODM/7jcmSBkhC",
    "$argon2id$v=19$m=8,t=4294967295,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
};

static double seconds_used(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The dear ones among them would take days; all together must take no time. */
static void an_unusable_hash_denies_with_a_log_line_and_without_work(void **state)
{
    (void)state;
    double before = seconds_used();
    for (size_t i = 0; i < COUNT(bad_hashes); i++) {
        bool stale = true;
        capture_start();
        enum verdict verdict = verdict_of(TEXT(PHRASE), bad_hashes[i], &cheap, &stale);
        bool said = strstr(capture_next(), "hash cannot be used") != NULL;
        capture_end();
        assert_false(verdict == ALLOW);
        assert_false(stale);
        assert_true(said);
    }
    assert_true(seconds_used() - before < 1.0);
    assert_false(is_right(TEXT(PHRASE), NULL));
}

/* What crypt gives when it fails must not be taken for a hash that matches. */
static void the_answer_of_a_failing_crypt_matches_nothing(void **state)
{
    (void)state;
    assert_false(is_right(TEXT("*0"), "*0"));
    assert_false(is_right(TEXT(""), "*0"));
    assert_false(is_right(TEXT(""), "*1"));
    assert_false(is_right(TEXT(""), ""));
}

static void a_hash_with_one_character_changed_does_not_match(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_MAX];
    assert_int_equal(password_hash(TEXT(PHRASE), &cheap, hash), OK);
    size_t len = text_of(hash).len;
    for (size_t at = len - 43 - 1 - 22; at < len; at++) {
        char kept = hash[at];
        hash[at] = kept == 'A' ? 'B' : 'A';
        assert_false(is_right(TEXT(PHRASE), hash));
        hash[at] = kept;
    }
    assert_true(is_right(TEXT(PHRASE), hash));
}

static void nobody_costs_what_somebody_does(void **state)
{
    (void)state;
    struct password_cost cost = {16 * KIB * KIB, 3};
    char hash[PASSWORD_HASH_MAX];
    assert_int_equal(password_hash(TEXT(PHRASE), &cost, hash), OK);
    double start = seconds_used();
    assert_false(verdict_of(TEXT("wrong"), hash, &cost, NULL) == ALLOW);
    double somebody = seconds_used() - start;
    start = seconds_used();
    check_nobody(TEXT("wrong"), &cost);
    double nobody = seconds_used() - start;
    /* Wide bounds, for a busy machine: what is to be found is work that was left out. */
    assert_true(nobody > somebody / 3);
    assert_true(nobody < somebody * 3);
    /* An over-long password costs neither of them anything. */
    char longest[PASSWORD_BYTES_MAX + 1];
    memset(longest, 'x', sizeof longest);
    start = seconds_used();
    check_nobody((struct text){longest, sizeof longest}, &cost);
    assert_false(verdict_of((struct text){longest, sizeof longest}, hash, &cost, NULL) == ALLOW);
    assert_true(seconds_used() - start < somebody / 3);
}

static void what_bcrypt_cannot_take_costs_what_nobody_does(void **state)
{
    (void)state;
    struct password_cost cost = {16 * KIB * KIB, 3};
    double start = seconds_used();
    check_nobody(TEXT(PHRASE), &cost);
    double nobody = seconds_used() - start;
    start = seconds_used();
    assert_false(verdict_of(TEXT(X72 "x"),
                            "$2b$04$"
                            "abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
                            &cost, NULL) == ALLOW);
    assert_true(seconds_used() - start > nobody / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_of_other_programs_are_known_again),
        cmocka_unit_test(a_password_that_is_not_exactly_the_same_is_wrong),
        cmocka_unit_test(another_unicode_form_is_another_password),
        cmocka_unit_test(a_new_hash_is_argon2id_of_the_cost_and_known_again),
        cmocka_unit_test(equal_passwords_have_different_salts),
        cmocka_unit_test(passwords_go_up_to_1024_bytes_and_no_further),
        cmocka_unit_test(a_password_with_a_nul_cannot_be_set_and_is_wrong),
        cmocka_unit_test(bcrypt_does_not_cut_a_password),
        cmocka_unit_test(crypt_is_not_given_what_it_refuses),
        cmocka_unit_test(stale_are_right_passwords_of_another_scheme_or_cost),
        cmocka_unit_test(a_cost_between_two_kibibytes_is_not_stale_for_ever),
        cmocka_unit_test(a_cost_out_of_bounds_makes_no_hash),
        cmocka_unit_test(an_unusable_hash_denies_with_a_log_line_and_without_work),
        cmocka_unit_test(the_answer_of_a_failing_crypt_matches_nothing),
        cmocka_unit_test(a_hash_with_one_character_changed_does_not_match),
        cmocka_unit_test(nobody_costs_what_somebody_does),
        cmocka_unit_test(what_bcrypt_cannot_take_costs_what_nobody_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
