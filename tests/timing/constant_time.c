/* Whether what is computed of secrets takes the same way whatever they are.
 *
 * To be run by valgrind's memcheck, which follows every bit that was never set: secrets are marked
 * as such (marks.c), and then each jump and each address that depends on one is an error (the
 * method of A. Langley's ctgrind and of BoringSSL). What is checked are the objects of the
 * programs, as the compiler made them.
 *
 * Not secret here: the length, kind, key id and time of issue of a token, all of which its bearer
 * reads in it; whether a session, a browser or a link is known; what somebody typed himself, before
 * it is hashed. argon2id and bcrypt look at memory at places that depend on the password, as they
 * are meant to (RFC 9106 §3.4.1.3); only what is compared in the end is looked at. */
#include <crypt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <valgrind/valgrind.h>

#include "../unit/policy.h"
#include "../unit/scratch.h"
#include "auth/device.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/password_crypt.h"
#include "crypto/seal.h"
#include "marks.h"

/* Where in the texts of tokens nothing is left of what stands before the id of a plain one, and
 * before what is sealed (token.h). */
#define AT_ID     BASE64URL_LEN(TOKEN_TEXT_LEN / 4 * 3 - TOKEN_ID_BYTES - MAC_BYTES)
#define AT_SEALED BASE64URL_LEN(TOKEN_SEALED_FRAME_BYTES - 8 - TOKEN_ID_BYTES - SEAL_TAG_BYTES)

/* ---- the controls: what must be found is found ---- */

static volatile int sink;

static void a_comparison_that_stops_early_is_found(void **state)
{
    (void)state;
    char a[32] = "the secret";
    char b[32] = "the secreT";
    hide(a, sizeof a);
    watch();
    sink = memcmp(a, b, sizeof a) == 0 ? 1 : 2;
    assert_true(count_errors() > 0);
}

static void a_jump_and_a_place_that_depend_on_a_secret_are_found(void **state)
{
    (void)state;
    static const int table[256] = {1, 2, 3};
    unsigned char secret = 3;
    hide(&secret, 1);
    watch();
    sink = table[secret];
    assert_true(count_errors() > 0);
    watch();
    if (secret > 2) {
        sink = 5;
    }
    assert_true(count_errors() > 0);
}

static void what_is_made_of_a_secret_is_one(void **state)
{
    (void)state;
    uint8_t tag[MAC_BYTES];
    char key[KEY_BYTES] = "k";
    mac_sha256((struct text){key, sizeof key}, TEXT("text"), tag);
    assert_false(is_hidden(tag, sizeof tag));
    hide(key, sizeof key);
    mac_sha256((struct text){key, sizeof key}, TEXT("text"), tag);
    assert_true(is_hidden(tag, sizeof tag));
}

/* ---- the building blocks ---- */

static void comparing(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 43; len++) {
        char a[43] = "Of all lengths, for words and single bytes";
        char b[43] = "Of all lengths, for words and single bytes";
        b[len / 2] ^= (char)(len % 2);
        hide(a, sizeof a);
        hide(b, sizeof b);
        watch();
        bool is_equal = compare(a, b, len);
        assert_int_equal(count_errors(), 0);
        show(&is_equal, sizeof is_equal);
        assert_int_equal(is_equal, len % 2 == 0);
    }
}

static void making_tags_and_keys(void **state)
{
    (void)state;
    uint8_t made[100];
    char key[100];
    memset(key, 'k', sizeof key);
    hide(key, sizeof key);
    watch();
    for (size_t len = 0; len <= sizeof key; len++) { /* beyond a block of SHA-256, too */
        mac_sha256((struct text){key, len}, (struct text){key, len}, made);
        const struct mac_source source = {{key, len}, {key, len}, TEXT("purpose")};
        assert_int_equal(mac_derive(&source, made, sizeof made), OK);
    }
    assert_int_equal(count_errors(), 0);
    assert_true(is_hidden(made, 64));
}

static void writing_and_reading_base64url(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 100; len++) {
        uint8_t bytes[100];
        char text[BASE64URL_LEN(100) + 1];
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (uint8_t)(i * 37 + len);
        }
        hide(bytes, len);
        watch();
        base64url_encode(bytes, len, text);
        assert_int_equal(count_errors(), 0);
        assert_true(is_hidden(text, BASE64URL_LEN(len) < 64 ? BASE64URL_LEN(len) : 64));
        assert_int_equal(base64url_decode((struct text){text, BASE64URL_LEN(len)}, bytes, len), OK);
        assert_int_equal(count_errors(), 0);
    }
}

/* nettle has AES in tables, too, for processors that do not have it. */
static bool has_aes_instructions(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") &&
           getenv("NETTLE_FAT_OVERRIDE") == NULL;
#else
    return false;
#endif
}

static void sealing_and_opening(void **state)
{
    (void)state;
    uint8_t key[SEAL_KEY_BYTES] = {1, 2, 3};
    uint8_t nonce[SEAL_NONCE_BYTES] = {4, 5, 6};
    char text[100] = "what a session remembers";
    uint8_t sealed[sizeof text + SEAL_TAG_BYTES];
    const struct seal seal = {key, nonce, TEXT("beside it")};
    hide(key, sizeof key);
    hide(nonce, sizeof nonce);
    hide(text, sizeof text);
    watch();
    for (size_t len = 0; len <= sizeof text; len++) {
        seal_close(&seal, (struct text){text, len}, sealed);
        const struct text whole = {(const char *)sealed, len + SEAL_TAG_BYTES};
        assert_int_equal(open_sealed(&seal, whole, (uint8_t *)text), OK);
    }
    if (has_aes_instructions()) {
        assert_int_equal(count_errors(), 0);
    } else { /* which crypto/seal.c says; and that this would be found */
        assert_true(count_errors() > 0);
    }
    assert_true(is_hidden(text, 64));
}

/* ---- whoever asks with a token ---- */

struct scene {
    struct config *config;
    struct store *admin;
    struct auth auth;
    struct user alice;
    char cookie[TOKEN_TEXT_MAX + 1]; /* of alice's session; what is random in it is hidden */
    char device[TOKEN_TEXT_MAX + 1]; /* of her browser */
    struct token token;              /* of her session */
};

static struct scene scene;

static void set_keys(void (*mark)(const void *secret, size_t len))
{
    uint32_t ids[KEYRING_SECRETS_MAX];
    size_t count = keyring_list(scene.auth.keyring, ids);
    for (size_t i = 0; i < count; i++) {
        for (size_t purpose = 0; purpose < KEY_PURPOSES; purpose++) {
            const uint8_t *key =
                keyring_get_key(scene.auth.keyring, ids[i], (enum key_purpose)purpose);
            assert_non_null(key);
            mark(key, KEY_BYTES);
        }
    }
}

/* Writes a token and hides what nobody but its bearer knows. */
static void write_token(const struct token *token, char out[TOKEN_TEXT_MAX + 1])
{
    assert_int_equal(token_encode(scene.auth.keyring, token, out), OK);
    size_t shown = token->kind == TOKEN_SEALED ? AT_SEALED : AT_ID;
    hide(out + shown, text_of(out).len - shown);
}

static void enter(enum session_store store)
{
    const struct credentials credentials = {
        .name = TEXT("alice"), .password = POLICY_PASSWORD, .now_s = NOON};
    const struct visitor nobody = {0};
    struct sign_in sign_in;
    scene.config = policy_make();
    scene.config->session.store = store;
    scene.admin = database_open(STORE_ROLE_ADMIN);
    scene.alice = policy_add_user(scene.admin, "alice");
    assert_int_equal(auth_open(scene.config, "test", STORE_ROLE_LOGIN, false, &scene.auth), OK);
    assert_int_equal(keyring_rotate(config_secret_path(scene.config)), OK);
    assert_int_equal(keyring_refresh(scene.auth.keyring), OK);
    assert_int_equal(auth_sign_in(&scene.auth, &credentials, &nobody, &sign_in), OK);
    assert_int_equal(sign_in.trial, TRIAL_RIGHT);
    token_copy(&scene.token, &sign_in.token);
    write_token(&sign_in.token, scene.cookie);
    write_token(&sign_in.device, scene.device);
    hide(scene.token.id, sizeof scene.token.id);
    set_keys(hide);
}

static void leave(void)
{
    auth_close(&scene.auth);
    store_close(&scene.admin);
    config_free(&scene.config);
}

/* Whether a cookie, sent twice as browsers sometimes do, is somebody's session. */
static bool identify(struct text cookie)
{
    const struct text cookies[] = {cookie, cookie};
    struct visitor visitor;
    watch();
    assert_int_equal(auth_identify(&scene.auth, cookies, 2, NOON, &visitor), OK);
    bool is_signed_in = visitor.signed_in;
    visitor_wipe(&visitor);
    return is_signed_in;
}

/* A right cookie, and wrong ones in each part. */
static void check_cookies(enum session_store store)
{
    enter(store);
    struct text cookie = text_of(scene.config->site.name); /* nothing of ours */
    assert_false(identify(cookie));
    assert_int_equal(count_errors(), 0);
    cookie = (struct text){scene.cookie, store == SESSION_STORE_COOKIE ? 0 : TOKEN_TEXT_LEN};
    for (size_t i = 0; cookie.len == 0 && i < TOKEN_TEXT_MAX; i++) {
        show(&scene.cookie[i], 1);
        cookie.len = scene.cookie[i] == '\0' ? i : 0;
    }
    if (store == SESSION_STORE_COOKIE) {
        hide(scene.cookie + AT_SEALED, cookie.len - AT_SEALED);
    }
    assert_true(identify(cookie));
    assert_int_equal(count_errors(), 0);
    for (size_t i = AT_ID; i < cookie.len; i += 7) {
        char before = scene.cookie[i];
        scene.cookie[i] = (char)(before ^ 1); /* may be no digit any more; that is known then */
        assert_false(identify(cookie));
        assert_int_equal(count_errors(), 0);
        scene.cookie[i] = before;
    }
    leave();
}

static void finding_a_session_of_the_database(void **state)
{
    (void)state;
    check_cookies(SESSION_STORE_DATABASE);
}

static void finding_a_session_of_the_cache(void **state)
{
    (void)state;
    check_cookies(SESSION_STORE_CACHE);
}

static void finding_a_session_in_its_cookie(void **state)
{
    (void)state;
    if (!has_aes_instructions()) {
        print_message("AES in tables, see the test of sealing\n");
        skip();
    }
    check_cookies(SESSION_STORE_COOKIE);
}

static void checking_a_csrf_value(void **state)
{
    (void)state;
    char csrf[CSRF_TEXT_LEN + 1];
    enter(SESSION_STORE_DATABASE);
    watch();
    assert_int_equal(token_csrf_encode(scene.auth.keyring, &scene.token, csrf), OK);
    assert_true(is_hidden(csrf, CSRF_TEXT_LEN));
    const struct text text = {csrf, CSRF_TEXT_LEN};
    assert_int_equal(token_csrf_check(scene.auth.keyring, &scene.token, text), ALLOW);
    csrf[20] ^= 1;
    assert_int_equal(token_csrf_check(scene.auth.keyring, &scene.token, text), DENY);
    assert_int_equal(count_errors(), 0);
    leave();
}

static void knowing_a_browser(void **state)
{
    (void)state;
    uint8_t id[DEVICE_ID_BYTES];
    enter(SESSION_STORE_DATABASE);
    const struct text cookie = {scene.device, TOKEN_TEXT_LEN};
    const struct origin origin = {.devices = &cookie, .device_count = 1};
    /* Whose browser it is is known, the rest of the id is not. */
    hide(scene.alice.salt, sizeof scene.alice.salt);
    watch();
    assert_true(device_find(scene.auth.keyring, &origin, &scene.alice, NOON, id));
    assert_true(is_hidden(id, sizeof id));
    assert_int_equal(count_errors(), 0);
    scene.alice.salt[0] ^= 1;
    assert_false(device_find(scene.auth.keyring, &origin, &scene.alice, NOON, id));
    assert_int_equal(count_errors(), 0);
    leave();
}

static void using_the_code_of_a_link(void **state)
{
    (void)state;
    char code[LINK_CODE_LEN + 1];
    struct user user;
    enter(SESSION_STORE_DATABASE);
    assert_int_equal(links_make(scene.admin, scene.alice.id, NOON, code), OK);
    hide(code, LINK_CODE_LEN);
    watch();
    assert_int_equal(links_find(scene.admin, (struct text){code, LINK_CODE_LEN}, NOON, &user), OK);
    assert_int_equal(count_errors(), 0);
    leave();
}

/* ---- passwords ---- */

static void comparing_the_hashes_of_passwords(void **state)
{
    (void)state;
    const struct {
        const char *setting;
        const char *password;
    } cases[] = {{"$2b$04$abcdefghijklmnopqrstuu", "blowfish"},
                 {"$6$rounds=1000$saltsalt$", "sha"},
                 {"$5$rounds=1000$saltsalt$", "sha"},
                 {"$y$j75$abcdefgh$", "yescrypt"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct crypt_data work = {0};
        char stored[CRYPT_OUTPUT_SIZE];
        const char *made = hash_crypt(cases[i].password, cases[i].setting, &work);
        assert_non_null(made);
        (void)snprintf(stored, sizeof stored, "%s", made);
        watch();
        enum verdict right = DENY;
        enum verdict wrong = ALLOW;
        enum status first = password_crypt_check(text_of(cases[i].password), stored, &right);
        enum status second = password_crypt_check(TEXT("another one"), stored, &wrong);
        assert_int_equal(count_errors(), 0);
        assert_int_equal(first, OK);
        assert_int_equal(second, OK);
        assert_int_equal(right, ALLOW);
        assert_int_equal(wrong, DENY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comparison_that_stops_early_is_found),
        cmocka_unit_test(a_jump_and_a_place_that_depend_on_a_secret_are_found),
        cmocka_unit_test(what_is_made_of_a_secret_is_one),
        cmocka_unit_test(comparing),
        cmocka_unit_test(making_tags_and_keys),
        cmocka_unit_test(writing_and_reading_base64url),
        cmocka_unit_test(sealing_and_opening),
        cmocka_unit_test(finding_a_session_of_the_database),
        cmocka_unit_test(finding_a_session_of_the_cache),
        cmocka_unit_test(finding_a_session_in_its_cookie),
        cmocka_unit_test(checking_a_csrf_value),
        cmocka_unit_test(knowing_a_browser),
        cmocka_unit_test(using_the_code_of_a_link),
        cmocka_unit_test(comparing_the_hashes_of_passwords),
    };
    if (RUNNING_ON_VALGRIND == 0) {
        (void)fputs("Bail out! nothing is seen without valgrind\n", stderr);
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
