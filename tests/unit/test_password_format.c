#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/password.h"
#include "tables.h"

#define PHRASE "correct horse battery staple"

#define SALT "$c29tc2FsdHNvbWVzYWx0MQ"
#define HASH "$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
#define A86  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A43  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A53  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B53  "abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"

static const char *const good_hashes[] = {
    "$argon2id$v=19$m=8,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=262144,t=16,p=1" SALT HASH,
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
    "$argon2id$v=19$m=262144,t=16,p=1" HASH HASH,
    "$2b$04$" B53,
    "$2b$15$" B53,
    "$2y$10$" B53,
    "$2a$10$" B53,
    "$6$rounds=1000$a$" A86,
    "$6$rounds=1000000$abcdefghijklmnop$" A86,
    "$5$rounds=1000$a$" A43,
    "$5$rounds=1000000$abcdefghijklmnop$" A43,
    "$y$j85$abcdefghijklmnopqrstuv$" A43,
    "$y$jDT$ab$" A43,
    "$y$j75$" A86 "$" A43,
};

static const char *const bad_hashes[] = {
    "",
    "x",
    "$",
    "$$",
    "*",
    "*0",
    "*1",
    "!",
    "!!",
    "$argon2id",
    "$argon2id$",
    "$6",
    "$2b",
    "$y$",
    PHRASE,
    "ab01FAX.bQRSU",
    "_J9..K0AyUubPvFJKCZM",
    "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
    "$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.",
    "$sha1$40000$jtNX3nZ2$hBNaIXkt4wBI2o5rsi8KejSjNqIq",
    "$md5$abcdefgh$1234567890123456789012",
    "$3$$8846f7eaee8fb117ad06bdd830b7586c",
    "$7$CU..../....abcdefghijklmnopqrstu/$" A43,
    "$gy$j9T$abcdefghijklmnopqrstu/$" A43,
    "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",

    /* argon2: other kinds, versions, forms */
    "$argon2i$v=19$m=8,t=1,p=1" SALT HASH,
    "$argon2d$v=19$m=8,t=1,p=1" SALT HASH,
    "$Argon2id$v=19$m=8,t=1,p=1" SALT HASH,
    "argon2id$v=19$m=8,t=1,p=1" SALT HASH,
    "x$argon2id$v=19$m=8,t=1,p=1" SALT HASH,
    " $argon2id$v=19$m=8,t=1,p=1" SALT HASH,
    "$argon2id$m=8,t=1,p=1" SALT HASH,
    "$argon2id$v=16$m=8,t=1,p=1" SALT HASH,
    "$argon2id$v=019$m=8,t=1,p=1" SALT HASH,
    "$argon2id$v=19$t=1,m=8,p=1" SALT HASH,
    "$argon2id$v=19$m=8,t=1" SALT HASH,
    "$argon2id$v=19$m=8,t=1,p=1,data=AAAA" SALT HASH,
    "$argon2id$v=19$m=8,t=1,p=1," SALT HASH,
    "$argon2id$v=19$m=8,,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m= 8,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=+8,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=08,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=0x8,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=-8,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m,t=1,p=1" SALT HASH,
    "$argon2id$v=19$$c29tc2FsdHNvbWVzYWx0MQ" HASH,
    /* argon2: costs */
    "$argon2id$v=19$m=7,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=0,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=262145,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=4294967295,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=4294967304,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=18446744073709551624,t=1,p=1" SALT HASH,
    "$argon2id$v=19$m=8,t=0,p=1" SALT HASH,
    "$argon2id$v=19$m=8,t=17,p=1" SALT HASH,
    "$argon2id$v=19$m=8,t=4294967297,p=1" SALT HASH,
    "$argon2id$v=19$m=64,t=1,p=0" SALT HASH,
    "$argon2id$v=19$m=64,t=1,p=2" SALT HASH,
    "$argon2id$v=19$m=64,t=1,p=4294967297" SALT HASH,
    /* argon2: salt and hash */
    "$argon2id$v=19$m=8,t=1,p=1" SALT,
    "$argon2id$v=19$m=8,t=1,p=1" SALT "$",
    "$argon2id$v=19$m=8,t=1,p=1$" HASH,
    "$argon2id$v=19$m=8,t=1,p=1" SALT HASH "$",
    "$argon2id$v=19$m=8,t=1,p=1" SALT HASH HASH,
    "$argon2id$v=19$m=8,t=1,p=1" SALT HASH "=",
    "$argon2id$v=19$m=8,t=1,p=1" SALT HASH "\n",
    "$argon2id$v=19$m=8,t=1,p=1" SALT "==" HASH,
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ-" HASH,
    "$argon2id$v=19$m=8,t=1,p=1$c29tc2Fsd" HASH,
    "$argon2id$v=19$m=8,t=1,p=1" SALT "$" A43 "a",
    "$argon2id$v=19$m=8,t=1,p=1" SALT "$nf65EOgLrQMR/uIPnA4rE",
    "$argon2id$v=19$m=8,t=1,p=1" SALT "$nf65 OgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",

    /* bcrypt */
    "$2x$04$" B53,
    "$2$04$" B53,
    "$2c$04$" B53,
    "$2B$04$" B53,
    "$2b$4$" B53,
    "$2b$004$" B53,
    "$2b$ 4$" B53,
    "$2b$+4$" B53,
    "$2b$0x$" B53,
    "$2b$$" B53,
    "$2b$00$" B53,
    "$2b$03$" B53,
    "$2b$16$" B53,
    "$2b$31$" B53,
    "$2b$99$" B53,
    "$2b$04$" B53 "$",
    "$2b$04$" B53 ".",
    "$2b$04$" A53,
    "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6C",
    "$2b$04$abcdefghijklmnopqrstuu",
    "$2b$04$abcdefghijklmnopqrstuv7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CH",
    "$2b$04$abcdefghij+lmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6C\n",

    /* SHA-crypt */
    "$6$" A86,
    "$6$$" A86,
    "$6$salt$",
    "$6$salt",
    "$6$salt$" A43,
    "$5$salt$" A86,
    "$6$salt$" A86 "a",
    "$6$salt$" A86 "$",
    "$6$abcdefghijklmnopq$" A86,
    "$6$sa:t$" A86,
    "$6$sa\nt$" A86,
    "$6$sa+t$" A86,
    "$6$rounds=5000$" A86,
    "$6$rounds=$salt$" A86,
    "$6$rounds=0$salt$" A86,
    "$6$rounds=999$salt$" A86,
    "$6$rounds=1000001$salt$" A86,
    "$6$rounds=999999999$salt$" A86,
    "$6$rounds=18446744073709552616$salt$" A86,
    "$6$rounds=05000$salt$" A86,
    "$6$rounds=+5000$salt$" A86,
    "$6$rounds=5000 $salt$" A86,
    "$6$Rounds=5000$salt$" A86,
    "$6$rounds=5000$rounds=5000$salt$" A86,
    "$5$rounds=1000001$salt$" A43,

    /* yescrypt */
    "$y$j9T$abcd$",
    "$y$j9T$" A43,
    "$y$j9T$$" A43,
    "$y$j9T$abcde$" A43,
    "$y$j9T$abcd$" A43 "a",
    "$y$j9T$abcd$" A43 "$",
    "$y$j9T$ab+d$" A43,
    "$y$j9T$" A86 "a$" A43,
    "$y$$abcd$" A43,
    "$y$j9$abcd$" A43,
    "$y$i9T$abcd$" A43,
    "$y$.9T$abcd$" A43,
    "$y$j65$abcd$" A43,
    "$y$jET$abcd$" A43,
    "$y$jzT$abcd$" A43,
    "$y$j94$abcd$" A43,
    "$y$j9U$abcd$" A43,
    "$y$j9T.$abcd$" A43,
    "$y$j9T/.$abcd$" A43,
    "$y$j9T0....$abcd$" A43,
};

static void hashes_within_bounds_are_acceptable(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good_hashes); i++) {
        const char *why = NULL;
        if (!password_hash_is_acceptable(good_hashes[i], &why)) {
            fail_msg("refused because %s: %s", why, good_hashes[i]);
        }
    }
}

static void hashes_that_are_malformed_or_too_dear_are_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_hashes); i++) {
        const char *why = NULL;
        if (password_hash_is_acceptable(bad_hashes[i], &why)) {
            fail_msg("accepted: %s", bad_hashes[i]);
        }
        assert_non_null(why);
    }
    const char *why = NULL;
    assert_false(password_hash_is_acceptable(NULL, &why));
    assert_non_null(why);
}

static void hashes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static char large[100000];
    const char *why = NULL;
    memset(large, 'a', sizeof large - 1);
    memcpy(large, "$6$salt$", 8);
    assert_false(password_hash_is_acceptable(large, &why));
    memset(large, '$', sizeof large - 1);
    assert_false(password_hash_is_acceptable(large, &why));
}

static void who_has_no_password_yet_is_told_from_a_spoiled_hash(void **state)
{
    (void)state;
    const char *why = NULL;
    assert_false(password_hash_is_acceptable(PASSWORD_HASH_NONE, &why));
    assert_string_equal(why, "no password was set yet");
}

static void every_cut_of_a_hash_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good_hashes); i++) {
        char cut[PASSWORD_HASH_MAX];
        size_t whole = text_of(good_hashes[i]).len;
        /* argon2 says its length nowhere, so a shorter hash is another hash, and matches nobody. */
        for (size_t len = 0; len < whole && good_hashes[i][1] != 'a'; len++) {
            const char *why = NULL;
            memcpy(cut, good_hashes[i], len);
            cut[len] = '\0';
            assert_false(password_hash_is_acceptable(cut, &why));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_within_bounds_are_acceptable),
        cmocka_unit_test(hashes_that_are_malformed_or_too_dear_are_refused_with_a_reason),
        cmocka_unit_test(hashes_that_do_not_fit_are_refused),
        cmocka_unit_test(who_has_no_password_yet_is_told_from_a_spoiled_hash),
        cmocka_unit_test(every_cut_of_a_hash_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
