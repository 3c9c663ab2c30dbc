#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "capture.h"
#include "crypto/keyring.h"
#include "hex.h"
#include "scratch.h"
#include "tables.h"

/* 32 times the byte 0x11, 0x22 and so on. */
#define ONES   "ERERERERERERERERERERERERERERERERERERERERERE"
#define TWOS   "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI"
#define THREES "MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM"
#define ZEROS  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

#define FILE_ROOM 1024
#define LINE_LEN  53 /* with its line feed */

static size_t read_file(const char *path, char out[FILE_ROOM])
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(out, 1, FILE_ROOM - 1, file);
    (void)fclose(file);
    out[len] = '\0';
    return len;
}

static const char *fresh_file(const char *name)
{
    const char *path = scratch_path(name);
    (void)unlink(path);
    assert_int_equal(keyring_create(path), OK);
    return path;
}

/* File systems count time in steps of the kernel's clock. */
static void wait_for_another_time(void)
{
    struct timespec step = {.tv_nsec = 20 * 1000 * 1000};
    assert_int_equal(nanosleep(&step, NULL), 0);
}

static uint32_t current_id(const struct keyring *keyring)
{
    uint32_t id = 0;
    assert_int_equal(keyring_get_current(keyring, &id), OK);
    return id;
}

static void a_new_file_is_private_and_holds_one_line(void **state)
{
    (void)state;
    mode_t mask = umask(0);
    const char *path = fresh_file("new");
    (void)umask(mask);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    char content[FILE_ROOM];
    assert_int_equal(read_file(path, content), LINE_LEN);
    assert_int_equal(strspn(content, "0123456789abcdef"), 8);
    assert_int_equal(content[8], ' ');
    assert_int_equal(content[LINE_LEN - 1], '\n');
}

static void creating_leaves_a_present_file_alone(void **state)
{
    (void)state;
    const char *path = scratch_write("present", "what was here\n");
    assert_int_equal(keyring_create(path), ERR_EXISTS);
    char content[FILE_ROOM];
    (void)read_file(path, content);
    assert_string_equal(content, "what was here\n");
}

static void two_new_files_have_nothing_in_common(void **state)
{
    (void)state;
    char one[FILE_ROOM];
    char other[FILE_ROOM];
    (void)read_file(fresh_file("one"), one);
    (void)read_file(fresh_file("other"), other);
    assert_memory_not_equal(one, other, 8);
    assert_string_not_equal(one + 9, other + 9);
}

/* Computed with `openssl kdf -kdfopt digest:SHA256 -kdfopt hexkey:11… -kdfopt info:… HKDF`. */
static void keys_are_those_of_hkdf_for_each_purpose(void **state)
{
    (void)state;
    static const char *const keys[KEY_PURPOSES] = {
        [KEY_TOKEN] = "40f5e536c63613b6a6a338d097051f96c3ef4bfff0cec250404a98c28ba7a50a",
        [KEY_CSRF] = "86a06c9ae3463701bb2c0492f45c171b4394fdefe28afe571674b49b4ec755f5",
        [KEY_SEAL] = "b804c62f91e4001771735fb2dfd1c50d9a74c2dbdc715b155e113f43cfa269a7",
        [KEY_AUDIT] = "b3cd2b56f58641ca8b9078fc47b1cb78e977164d7bfe4cb5a1f3cdaf3726a34b",
        [KEY_THROTTLE] = "4a70d20017e24ad6b25a2ec65df220d2e9ec8a576316db77df306fe754bb6575",
    };
    struct keyring *keyring = NULL;
    assert_int_equal(keyring_open(scratch_write("keys", "00000abc " ONES "\n"), KEYS_ALL, &keyring),
                     OK);
    for (size_t i = 0; i < KEY_PURPOSES; i++) {
        const uint8_t *key = keyring_get_key(keyring, 0xabc, (enum key_purpose)i);
        assert_non_null(key);
        assert_memory_equal(key, hex_bytes(keys[i]).data, KEY_BYTES);
    }
    assert_null(keyring_get_key(keyring, 0xabc, KEY_PURPOSES));
    keyring_free(&keyring);
    assert_null(keyring);
    keyring_free(&keyring);
}

static void the_first_line_is_current_and_all_are_listed(void **state)
{
    (void)state;
    struct keyring *keyring = NULL;
    const char *path = scratch_write("three", "0000000c " ONES "\n"
                                              "ffffffff " TWOS "\n"
                                              "00000000 " THREES "\n");
    assert_int_equal(keyring_open(path, KEYS_ALL, &keyring), OK);
    assert_int_equal(current_id(keyring), 0xc);
    uint32_t ids[KEYRING_SECRETS_MAX];
    assert_int_equal(keyring_list(keyring, ids), 3);
    assert_int_equal(ids[0], 0xc);
    assert_int_equal(ids[1], 0xffffffff);
    assert_int_equal(ids[2], 0);
    assert_memory_not_equal(keyring_get_key(keyring, 0xffffffff, KEY_TOKEN),
                            keyring_get_key(keyring, 0, KEY_TOKEN), KEY_BYTES);
    assert_null(keyring_get_key(keyring, 0xd, KEY_TOKEN));
    keyring_free(&keyring);
}

static const struct {
    const char *what;
    const char *content;
} bad_files[] = {
    {"empty", ""},
    {"a line feed", "\n"},
    {"no line feed at the end", "0000000c " ONES},
    {"a secret cut short", "0000000c ERERERERERERERER\n"},
    {"a secret one character short", "0000000c RERERERERERERERERERERERERERERERERERERERERE\n"},
    {"a secret too long", "0000000c " ONES "E\n"},
    {"stray bits in the last character", "0000000c ERERERERERERERERERERERERERERERERERERERERERF\n"},
    {"padding", "0000000c ERERERERERERERERERERERERERERERERERERERERERE=\n"},
    {"the standard alphabet", "0000000c ERERERERERERERERERERERERERERERERERERERERE+E\n"},
    {"zeros", "0000000c " ZEROS "\n"},
    {"an id in capitals", "0000000C " ONES "\n"},
    {"an id that is no number", "0000000g " ONES "\n"},
    {"an id too short", "000000c " ONES "\n"},
    {"an id too long", "00000000c " ONES "\n"},
    {"a tab", "0000000c\t" ONES "\n"},
    {"two spaces", "0000000c  " ONES "\n"},
    {"a space at the end", "0000000c " ONES " \n"},
    {"a carriage return", "0000000c " ONES "\r\n"},
    {"a blank line at the end", "0000000c " ONES "\n\n"},
    {"a blank line at the start", "\n0000000c " ONES "\n"},
    {"a blank line between", "0000000c " ONES "\n\n0000000d " TWOS "\n"},
    {"a comment", "# secrets\n0000000c " ONES "\n"},
    {"an id twice", "0000000c " ONES "\n0000000c " TWOS "\n"},
    {"a second line that is bad", "0000000c " ONES "\n0000000d IiIi\n"},
    {"a byte order mark", "\xef\xbb\xbf"
                          "0000000c " ONES "\n"},
    {"something else", "SQLite format 3"},
};

static void a_file_that_is_not_exactly_right_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_files); i++) {
        struct keyring *keyring = NULL;
        const char *path = scratch_write("bad", bad_files[i].content);
        if (keyring_open(path, KEYS_ALL, &keyring) != ERR_INPUT || keyring != NULL) {
            fail_msg("accepted: %s", bad_files[i].what);
        }
    }
}

static enum status open_bytes(struct text content)
{
    const char *path = scratch_path("bytes");
    assert_int_equal(file_write_private(path, content, false), OK);
    struct keyring *keyring = NULL;
    enum status status = keyring_open(path, KEYS_ALL, &keyring);
    keyring_free(&keyring);
    return status;
}

static void a_nul_anywhere_is_refused(void **state)
{
    (void)state;
    assert_int_equal(open_bytes(TEXT("0000000c " ONES "\n")), OK);
    assert_int_equal(open_bytes(TEXT("0000000c " ONES "\0\n")), ERR_INPUT);
    assert_int_equal(open_bytes(TEXT("0000000c " ONES "\n\0")), ERR_INPUT);
    assert_int_equal(open_bytes(TEXT("\0000000000c " ONES "\n")), ERR_INPUT);
    for (size_t at = 0; at < LINE_LEN; at++) {
        char line[LINE_LEN + 1] = "0000000c " ONES "\n";
        line[at] = '\0';
        assert_int_equal(open_bytes((struct text){line, LINE_LEN}), ERR_INPUT);
    }
}

static void every_file_that_was_cut_is_refused(void **state)
{
    (void)state;
    static const char whole[] = "0000000c " ONES "\n0000000d " TWOS "\n";
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        enum status wanted = len == LINE_LEN ? OK : ERR_INPUT; /* a cut between lines is none */
        assert_int_equal(open_bytes((struct text){whole, len}), wanted);
    }
}

static void eight_secrets_are_taken_and_nine_refused(void **state)
{
    (void)state;
    char content[FILE_ROOM];
    for (int lines = KEYRING_SECRETS_MAX; lines <= KEYRING_SECRETS_MAX + 1; lines++) {
        int len = 0;
        for (int i = 0; i < lines; i++) {
            len += snprintf(content + len, sizeof content - (size_t)len, "%08x " ONES "\n",
                            (unsigned)i);
        }
        assert_int_equal(open_bytes((struct text){content, (size_t)len}),
                         lines == KEYRING_SECRETS_MAX ? OK : ERR_INPUT);
    }
    static const char large[100000];
    assert_int_equal(open_bytes((struct text){large, sizeof large}), ERR_INPUT);
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    const char *path = fresh_file("modes");
    static const mode_t modes[] = {0644, 0660, 0640, 0604, 0602, 0601, 0610, 0620, 0777};
    struct keyring *keyring = NULL;
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_int_equal(keyring_open(path, KEYS_ALL, &keyring), ERR_PERMISSION);
        assert_int_equal(keyring_rotate(path), ERR_PERMISSION);
        assert_null(keyring);
    }
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(keyring_open(path, KEYS_ALL, &keyring), OK);
    keyring_free(&keyring);
}

static void what_is_not_a_regular_file_is_refused(void **state)
{
    (void)state;
    struct keyring *keyring = NULL;
    const char *link_path = scratch_path("link");
    assert_int_equal(symlink(fresh_file("target"), link_path), 0);
    assert_int_equal(keyring_open(link_path, KEYS_ALL, &keyring), ERR_PERMISSION);
    assert_int_equal(keyring_revoke(link_path), ERR_PERMISSION);
    const char *fifo = scratch_path("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(keyring_open(fifo, KEYS_ALL, &keyring), ERR_PERMISSION);
    assert_int_equal(keyring_revoke(fifo), ERR_PERMISSION);
    const char *folder = scratch_path("folder");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(keyring_open(folder, KEYS_ALL, &keyring), ERR_PERMISSION);
    assert_null(keyring);
}

static void a_missing_file_is_not_found(void **state)
{
    (void)state;
    struct keyring *keyring = NULL;
    static const char *const names[] = {"missing", "no-folder/missing", "target/missing"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *path = scratch_path(names[i]);
        assert_int_equal(keyring_open(path, KEYS_ALL, &keyring), ERR_NOT_FOUND);
        assert_int_equal(keyring_rotate(path), ERR_NOT_FOUND);
        assert_int_equal(keyring_revoke(path), ERR_NOT_FOUND);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    assert_null(keyring);
}

static void rotating_puts_a_fresh_secret_first_and_keeps_seven(void **state)
{
    (void)state;
    const char *path = fresh_file("rotate");
    char before[FILE_ROOM];
    char after[FILE_ROOM];
    size_t len = read_file(path, before);
    for (size_t i = 2; i <= KEYRING_SECRETS_MAX + 3; i++) {
        assert_int_equal(keyring_rotate(path), OK);
        size_t lines = i < KEYRING_SECRETS_MAX ? i : KEYRING_SECRETS_MAX;
        assert_int_equal(read_file(path, after), lines * LINE_LEN);
        size_t kept = (lines - 1) * LINE_LEN;
        assert_true(kept <= len);
        assert_memory_equal(after + LINE_LEN, before, kept);
        assert_memory_not_equal(after, before, LINE_LEN);
        len = read_file(path, before);
        struct keyring *keyring = NULL;
        assert_int_equal(keyring_open(path, KEYS_ALL, &keyring), OK);
        keyring_free(&keyring);
    }
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
}

static void revoking_leaves_one_fresh_secret(void **state)
{
    (void)state;
    const char *path = fresh_file("revoke");
    assert_int_equal(keyring_rotate(path), OK);
    char before[FILE_ROOM];
    char after[FILE_ROOM];
    (void)read_file(path, before);
    assert_int_equal(keyring_revoke(path), OK);
    assert_int_equal(read_file(path, after), LINE_LEN);
    after[LINE_LEN - 1] = '\0';
    assert_null(strstr(before, after));
    assert_null(strstr(before, after + 9));
}

/* That is what an administrator does about a secret that leaked. */
static void what_killed_writers_left_goes_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool goes;
    } files[] = {
        {"swept.new.aB3dE6", true}, {"swept.new.000000", true},   {"swept.backup", false},
        {"swept.new.12345", false}, {"swept.new.1234567", false}, {"other.new.aB3dE6", false},
    };
    enum status (*const renew[])(const char *) = {keyring_rotate, keyring_revoke};
    (void)fresh_file("swept");
    for (size_t i = 0; i < COUNT(renew); i++) {
        for (size_t k = 0; k < COUNT(files); k++) {
            (void)scratch_write(files[k].name, "");
        }
        assert_int_equal(renew[i](scratch_path("swept")), OK);
        for (size_t k = 0; k < COUNT(files); k++) {
            assert_int_equal(access(scratch_path(files[k].name), F_OK), files[k].goes ? -1 : 0);
        }
    }
}

static void revoking_mends_a_broken_or_open_file_and_rotating_does_not(void **state)
{
    (void)state;
    const char *path = scratch_write("broken", "not a secret");
    assert_int_equal(keyring_rotate(path), ERR_INPUT);
    char content[FILE_ROOM];
    (void)read_file(path, content);
    assert_string_equal(content, "not a secret");
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(keyring_revoke(path), OK);
    struct keyring *keyring = NULL;
    assert_int_equal(keyring_open(path, KEYS_ALL, &keyring), OK);
    keyring_free(&keyring);
}

static void rotations_at_once_lose_none(void **state)
{
    (void)state;
    enum { PROCESSES = KEYRING_SECRETS_MAX - 1 };
    const char *path = fresh_file("at-once");
    pid_t children[PROCESSES];
    for (size_t i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            _exit(keyring_rotate(path) == OK ? 0 : 1);
        }
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        int ended = -1;
        assert_int_equal(waitpid(children[i], &ended, 0), children[i]);
        assert_int_equal(ended, 0);
    }
    char content[FILE_ROOM];
    assert_int_equal(read_file(path, content), KEYRING_SECRETS_MAX * LINE_LEN);
    struct keyring *keyring = NULL;
    assert_int_equal(keyring_open(path, KEYS_ALL, &keyring), OK);
    keyring_free(&keyring);
}

static void an_unchanged_file_is_not_read_again(void **state)
{
    (void)state;
    struct keyring *keyring = NULL;
    assert_int_equal(keyring_open(fresh_file("same"), KEYS_ALL, &keyring), OK);
    const uint8_t *key = keyring_get_key(keyring, current_id(keyring), KEY_TOKEN);
    uint8_t saved[KEY_BYTES];
    memcpy(saved, key, KEY_BYTES);
    assert_int_equal(keyring_refresh(keyring), OK);
    assert_ptr_equal(keyring_get_key(keyring, current_id(keyring), KEY_TOKEN), key);
    assert_memory_equal(key, saved, KEY_BYTES);
    keyring_free(&keyring);
}

static void refreshing_sees_a_rotation_and_a_revocation(void **state)
{
    (void)state;
    struct keyring *keyring = NULL;
    const char *path = fresh_file("refresh");
    assert_int_equal(keyring_open(path, KEYS_ALL, &keyring), OK);
    uint32_t first = current_id(keyring);
    assert_int_equal(keyring_rotate(path), OK);
    assert_int_equal(current_id(keyring), first);
    assert_int_equal(keyring_refresh(keyring), OK);
    assert_int_not_equal(current_id(keyring), first);
    assert_non_null(keyring_get_key(keyring, first, KEY_TOKEN));
    assert_int_equal(keyring_revoke(path), OK);
    assert_int_equal(keyring_refresh(keyring), OK);
    assert_null(keyring_get_key(keyring, first, KEY_TOKEN));
    uint32_t ids[KEYRING_SECRETS_MAX];
    assert_int_equal(keyring_list(keyring, ids), 1);
    keyring_free(&keyring);
}

/* Same length, same inode, time of last modification set back: the time of change still tells. */
static void refreshing_sees_a_change_that_hides(void **state)
{
    (void)state;
    struct keyring *keyring = NULL;
    const char *path = scratch_write("hidden", "0000000c " ONES "\n");
    assert_int_equal(keyring_open(path, KEYS_ALL, &keyring), OK);
    struct stat before;
    assert_int_equal(stat(path, &before), 0);
    wait_for_another_time();
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_true(fputs("0000000d " TWOS "\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    struct timespec times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(keyring_refresh(keyring), OK);
    assert_int_equal(current_id(keyring), 0xd);
    assert_null(keyring_get_key(keyring, 0xc, KEY_TOKEN));
    keyring_free(&keyring);
}

static void assert_without_keys(const struct keyring *keyring, uint32_t id)
{
    uint32_t ids[KEYRING_SECRETS_MAX];
    uint32_t untouched = 42;
    assert_int_equal(keyring_list(keyring, ids), 0);
    assert_int_equal(keyring_get_current(keyring, &untouched), ERR_NOT_FOUND);
    assert_int_equal(untouched, 42);
    for (size_t i = 0; i < KEY_PURPOSES; i++) {
        assert_null(keyring_get_key(keyring, id, (enum key_purpose)i));
        assert_null(keyring_get_key(keyring, 0, (enum key_purpose)i));
    }
}

static void a_file_that_became_unreadable_leaves_no_key_until_it_is_mended(void **state)
{
    (void)state;
    struct keyring *keyring = NULL;
    const char *path = scratch_write("goes", "0000000c " ONES "\n");
    assert_int_equal(keyring_open(path, KEYS_ALL, &keyring), OK);

    wait_for_another_time();
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(keyring_refresh(keyring), ERR_PERMISSION);
    assert_without_keys(keyring, 0xc);
    assert_int_equal(keyring_refresh(keyring), ERR_PERMISSION);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(keyring_refresh(keyring), OK);
    assert_int_equal(current_id(keyring), 0xc);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(keyring_refresh(keyring), ERR_NOT_FOUND);
    assert_without_keys(keyring, 0xc);
    (void)scratch_write("goes", "0000000c " ONES);
    assert_int_equal(keyring_refresh(keyring), ERR_INPUT);
    assert_without_keys(keyring, 0xc);
    (void)scratch_write("goes", "0000000e " TWOS "\n");
    assert_int_equal(keyring_refresh(keyring), OK);
    assert_int_equal(current_id(keyring), 0xe);
    keyring_free(&keyring);
}

static void only_keys_that_were_asked_for_are_there_also_when_read_again(void **state)
{
    (void)state;
    struct keyring *keyring = NULL;
    const char *path = scratch_write("few", "0000000c " ONES "\n");
    assert_int_equal(keyring_open(path, KEY_OF(KEY_TOKEN) | KEY_OF(KEY_SEAL), &keyring), OK);
    for (uint32_t id = 0xc; id <= 0xd; id++) {
        for (size_t i = 0; i < KEY_PURPOSES; i++) {
            bool is_there = keyring_get_key(keyring, id, (enum key_purpose)i) != NULL;
            assert_int_equal(is_there, i == KEY_TOKEN || i == KEY_SEAL);
        }
        wait_for_another_time();
        (void)scratch_write("few", "0000000d " TWOS "\n");
        assert_int_equal(keyring_refresh(keyring), OK);
    }
    keyring_free(&keyring);
}

static void without_any_purpose_the_file_is_only_judged(void **state)
{
    (void)state;
    struct keyring *keyring = NULL;
    uint32_t ids[KEYRING_SECRETS_MAX];
    assert_int_equal(keyring_open(scratch_write("none", "0000000c " ONES "\n"), 0, &keyring), OK);
    assert_int_equal(keyring_list(keyring, ids), 1);
    for (size_t i = 0; i < KEY_PURPOSES; i++) {
        assert_null(keyring_get_key(keyring, 0xc, (enum key_purpose)i));
    }
    keyring_free(&keyring);
    assert_int_equal(keyring_open(scratch_write("none", "0000000c"), 0, &keyring), ERR_INPUT);
}

static void no_complaint_shows_a_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_files); i++) {
        const char *path = scratch_write("silent", bad_files[i].content);
        struct keyring *keyring = NULL;
        capture_start();
        enum status status = keyring_open(path, KEYS_ALL, &keyring);
        const char *said = capture_next();
        bool names_file = strstr(said, "silent") != NULL;
        bool shows = strstr(said, "ERER") != NULL || strstr(said, "IiIi") != NULL;
        capture_end();
        assert_int_equal(status, ERR_INPUT);
        assert_true(names_file);
        assert_false(shows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_is_private_and_holds_one_line),
        cmocka_unit_test(creating_leaves_a_present_file_alone),
        cmocka_unit_test(two_new_files_have_nothing_in_common),
        cmocka_unit_test(keys_are_those_of_hkdf_for_each_purpose),
        cmocka_unit_test(only_keys_that_were_asked_for_are_there_also_when_read_again),
        cmocka_unit_test(without_any_purpose_the_file_is_only_judged),
        cmocka_unit_test(the_first_line_is_current_and_all_are_listed),
        cmocka_unit_test(a_file_that_is_not_exactly_right_is_refused),
        cmocka_unit_test(a_nul_anywhere_is_refused),
        cmocka_unit_test(every_file_that_was_cut_is_refused),
        cmocka_unit_test(eight_secrets_are_taken_and_nine_refused),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
        cmocka_unit_test(what_is_not_a_regular_file_is_refused),
        cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(rotating_puts_a_fresh_secret_first_and_keeps_seven),
        cmocka_unit_test(revoking_leaves_one_fresh_secret),
        cmocka_unit_test(what_killed_writers_left_goes_and_nothing_else),
        cmocka_unit_test(revoking_mends_a_broken_or_open_file_and_rotating_does_not),
        cmocka_unit_test(rotations_at_once_lose_none),
        cmocka_unit_test(an_unchanged_file_is_not_read_again),
        cmocka_unit_test(refreshing_sees_a_rotation_and_a_revocation),
        cmocka_unit_test(refreshing_sees_a_change_that_hides),
        cmocka_unit_test(a_file_that_became_unreadable_leaves_no_key_until_it_is_mended),
        cmocka_unit_test(no_complaint_shows_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
