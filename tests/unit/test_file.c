#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "capture.h"
#include "scratch.h"
#include "tables.h"

static struct buffer content;

static int start(void **state)
{
    (void)state;
    buffer_init(&content, 10000);
    capture_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    capture_end();
    buffer_clear(&content);
    return 0;
}

/* Exactly one line was logged, and it names the thing. */
static void assert_logged(const char *thing)
{
    const char *line = capture_next();
    if (strstr(line, thing) == NULL) {
        fail_msg("\"%s\" is not in: %s", thing, line);
    }
    assert_string_equal(capture_next(), "");
}

static void assert_content(const char *path, const char *wanted)
{
    buffer_clear(&content);
    assert_int_equal(file_read(path, &content), OK);
    assert_true(text_is(buffer_text(&content), wanted));
}

static mode_t mode_of(const char *path)
{
    struct stat found;
    assert_int_equal(lstat(path, &found), 0);
    return found.st_mode & 07777;
}

/* How many entries a folder has, dot and dot-dot left out. */
static size_t entries_in(const char *folder)
{
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    (void)closedir(entries);
    return count;
}

static void reading_appends_the_content(void **state)
{
    (void)state;
    const char *path = scratch_write("plain", "second");
    buffer_add_string(&content, "first,");
    assert_int_equal(file_read(path, &content), OK);
    assert_true(text_is(buffer_text(&content), "first,second"));
    assert_int_equal(file_read(scratch_write("empty", ""), &content), OK);
    assert_true(text_is(buffer_text(&content), "first,second"));
}

static void a_file_longer_than_one_read_comes_whole(void **state)
{
    (void)state;
    char text[9001];
    for (size_t i = 0; i < sizeof text - 1; i++) {
        text[i] = (char)('a' + i % 26);
    }
    text[sizeof text - 1] = '\0';
    assert_content(scratch_write("long", text), text);
}

static void a_file_over_the_limit_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    struct buffer small;
    buffer_init(&small, 10);
    buffer_add_string(&small, "abc");
    assert_int_equal(file_read(scratch_write("seven", "1234567"), &small), OK);
    assert_int_equal(small.len, 10);
    buffer_clear(&small);
    buffer_add_string(&small, "abc");
    assert_int_equal(file_read(scratch_write("eight", "12345678"), &small), ERR_TOO_LARGE);
    assert_false(small.failed);
    assert_true(text_is(buffer_text(&small), "abc"));
    buffer_clear(&small);
}

static void a_file_found_too_large_late_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    char text[9001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct buffer small;
    buffer_init(&small, 8000);
    buffer_add_string(&small, "abc");
    assert_int_equal(file_read(scratch_write("late", text), &small), ERR_TOO_LARGE);
    assert_true(text_is(buffer_text(&small), "abc"));
    for (size_t i = small.len; i < small.room && i < 4099; i++) {
        assert_int_equal(small.data[i], 0); /* what was read is wiped */
    }
    buffer_clear(&small);
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
    (void)state;
    const char *fifo = scratch_path("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    struct stat identity;
    assert_int_equal(file_read(fifo, &content), ERR_SYSTEM);
    assert_int_equal(file_read("/dev/zero", &content), ERR_SYSTEM);
    assert_int_equal(file_read(scratch_folder(), &content), ERR_SYSTEM);
    assert_int_equal(errno, EISDIR);
    assert_string_equal(capture_next(), "");
    assert_int_equal(file_read_private(fifo, &content, &identity), ERR_PERMISSION);
    assert_logged("fifo must be a regular file");
}

static void a_missing_file_is_not_found_and_not_logged(void **state)
{
    (void)state;
    char below[300];
    (void)snprintf(below, sizeof below, "%s/below", scratch_write("plain", "x"));
    const char *const paths[] = {scratch_path("missing"), below, ""};
    struct stat identity;
    for (size_t i = 0; i < COUNT(paths); i++) {
        assert_int_equal(file_read(paths[i], &content), ERR_NOT_FOUND);
        assert_int_equal(file_read_private(paths[i], &content, &identity), ERR_NOT_FOUND);
    }
    assert_string_equal(capture_next(), "");
}

static void a_private_file_is_read_only_when_nobody_else_may(void **state)
{
    (void)state;
    const char *path = scratch_write("secret", "s");
    for (mode_t mode = 0; mode <= 0777; mode++) {
        if ((mode & 0400) == 0) {
            continue; /* whether that can be opened depends on being root */
        }
        assert_int_equal(chmod(path, mode), 0);
        struct stat identity = {0};
        buffer_clear(&content);
        enum status status = file_read_private(path, &content, &identity);
        if ((mode & 077) == 0) {
            assert_int_equal(status, OK);
            assert_int_equal(content.len, 1);
            assert_int_equal(identity.st_size, 1);
        } else {
            assert_int_equal(status, ERR_PERMISSION);
            assert_int_equal(content.len, 0);
            assert_int_equal(identity.st_ino, 0);
            assert_logged("chmod 600 ");
        }
    }
}

static void a_private_file_of_another_user_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root can give files away */
    }
    const char *path = scratch_write("given-away", "s");
    assert_int_equal(chown(path, 12345, 12345), 0);
    struct stat identity;
    assert_int_equal(file_read_private(path, &content, &identity), ERR_PERMISSION);
    assert_logged("chown 0 ");
}

static void a_private_file_is_not_read_where_all_may_replace_it(void **state)
{
    (void)state;
    const char *path = scratch_write("secret", "s");
    static const struct {
        mode_t mode;
        enum status status;
    } folders[] = {{0700, OK},
                   {0750, OK},
                   {0770, OK},
                   {0755, OK},
                   {01777, OK},
                   {0777, ERR_PERMISSION},
                   {0702, ERR_PERMISSION},
                   {0773, ERR_PERMISSION}};
    char folder[PATH_MAX];
    assert_true(file_print_folder(path, folder));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        struct stat identity = {0};
        buffer_clear(&content);
        assert_int_equal(chmod(folder, folders[i].mode), 0);
        assert_int_equal(file_read_private(path, &content, &identity), folders[i].status);
        assert_int_equal(content.len, folders[i].status == OK ? 1 : 0);
        if (folders[i].status != OK) {
            assert_logged("run chmod o-w ");
        }
    }
    assert_int_equal(chmod(folder, 0700), 0);
}

static void a_private_file_is_not_read_through_a_symbolic_link(void **state)
{
    (void)state;
    const char *link = scratch_path("link");
    assert_int_equal(symlink(scratch_write("target", "t"), link), 0);
    struct stat identity;
    assert_int_equal(file_read_private(link, &content, &identity), ERR_PERMISSION);
    assert_logged("symbolic link");
    assert_content(link, "t");
}

static void writing_replaces_the_whole_file_and_its_mode(void **state)
{
    (void)state;
    const char *path = scratch_write("old", "a long old content");
    assert_int_equal(chmod(path, 0666), 0);
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    mode_t mask = umask(0777);
    enum status status = file_write_private(path, TEXT("new"), false);
    (void)umask(mask);
    assert_int_equal(status, OK);
    assert_content(path, "new");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino != after.st_ino); /* who has the old one open keeps the old one */
    assert_string_equal(capture_next(), "");
}

static void writing_creates_a_missing_file(void **state)
{
    (void)state;
    const char *path = scratch_path("created");
    assert_int_equal(file_write_private(path, TEXT(""), false), OK);
    assert_content(path, "");
    assert_int_equal(mode_of(path), 0600);
}

static void a_bare_name_is_written_to_the_present_folder(void **state)
{
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(scratch_folder()), 0);
    enum status status = file_write_private("bare", TEXT("b"), true);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(status, OK);
    assert_content(scratch_path("bare"), "b");
}

static void content_of_somebody_else_gets_the_name_when_it_is_whole(void **state)
{
    (void)state;
    const char *path = scratch_path("later");
    char made[PATH_MAX];
    struct stat found;
    int descriptor = -1;
    assert_int_equal(file_make_beside(path, made, &descriptor), OK);
    assert_int_equal(stat(made, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_int_equal(write(descriptor, "whole", 5), 5);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(file_put_in_place(made, descriptor, path, true), OK);
    assert_int_equal(access(made, F_OK), -1);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_size, 5);
    assert_int_equal(found.st_nlink, 1);
    assert_int_equal(file_make_beside(path, made, &descriptor), OK);
    assert_int_equal(file_put_in_place(made, descriptor, path, true), ERR_EXISTS);
    assert_int_equal(access(made, F_OK), -1);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_size, 5);
    assert_int_equal(file_make_beside(scratch_path("nowhere/file"), made, &descriptor), ERR_SYSTEM);
}

static void a_fresh_file_never_replaces_another(void **state)
{
    (void)state;
    const char *path = scratch_path("fresh");
    size_t entries = entries_in(scratch_folder());
    assert_int_equal(file_write_private(path, TEXT("first"), true), OK);
    assert_int_equal(file_write_private(path, TEXT("second"), true), ERR_EXISTS);
    assert_content(path, "first");
    assert_int_equal(entries_in(scratch_folder()), entries + 1);
    assert_string_equal(capture_next(), "");
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_nlink, 1);
}

static void a_link_is_replaced_and_its_target_left_alone(void **state)
{
    (void)state;
    const char *target = scratch_write("precious", "p");
    const char *link = scratch_path("planted");
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(file_write_private(link, TEXT("s"), true), ERR_EXISTS);
    assert_int_equal(file_write_private(link, TEXT("s"), false), OK);
    assert_content(target, "p");
    struct stat found;
    assert_int_equal(lstat(link, &found), 0);
    assert_true(S_ISREG(found.st_mode));
}

static void a_replaced_file_keeps_its_owner(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root writes files of others */
    }
    const char *path = scratch_write("owned", "o");
    assert_int_equal(chown(path, 12345, 23456), 0);
    assert_int_equal(file_write_private(path, TEXT("n"), false), OK);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_uid, 12345);
    assert_int_equal(found.st_gid, 23456);
}

/* A limit on the size of files stands for the full disk. */
static void root_gives_away_only_what_is_roots_alone(void **state)
{
    (void)state;
    static const struct {
        uid_t owner;
        bool has_other_name;
        uid_t wanted;
    } cases[] = {{0, false, 12345}, {0, true, 0}, {34567, false, 34567}};
    struct stat found;
    if (geteuid() != 0) {
        skip();
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "theirs%zu", i);
        const char *folder = scratch_path(name);
        char path[300];
        (void)snprintf(path, sizeof path, "%s/file", folder);
        assert_int_equal(mkdir(folder, 0700), 0);
        assert_int_equal(chown(folder, 12345, 12345), 0);
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0);
        assert_int_equal(fchown(fd, cases[i].owner, cases[i].owner), 0);
        assert_int_equal(cases[i].has_other_name ? link(path, scratch_path("other")) : 0, 0);
        file_give_to_owner_of_folder(fd, path);
        assert_int_equal(fstat(fd, &found), 0);
        assert_int_equal(found.st_uid, cases[i].wanted);
        assert_int_equal(close(fd), 0);
    }
    assert_string_equal(capture_next(), "");
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    const char *path = scratch_write("kept", "old");
    size_t entries = entries_in(scratch_folder());
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit tiny = {4, limit.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    enum status status = file_write_private(path, TEXT("12345678"), false);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, ERR_SYSTEM);
    assert_logged("kept: ");
    assert_content(path, "old");
    assert_int_equal(entries_in(scratch_folder()), entries);
}

static void writing_where_no_folder_is_says_what_to_do(void **state)
{
    (void)state;
    assert_int_equal(file_write_private(scratch_path("nowhere/file"), TEXT("x"), false),
                     ERR_SYSTEM);
    assert_logged("make its folder first");
    static char endless[5000];
    memset(endless, 'a', sizeof endless - 1);
    assert_int_equal(file_write_private(endless, TEXT("x"), false), ERR_SYSTEM);
    assert_string_not_equal(capture_next(), "");
    assert_int_equal(file_write_private(scratch_folder(), TEXT("x"), false), ERR_SYSTEM);
    assert_logged(scratch_folder());
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    const char *path = scratch_path("a/b//c/");
    mode_t mask = umask(027);
    enum status status = file_make_folder(path, 0711);
    (void)umask(mask);
    assert_int_equal(status, OK);
    assert_int_equal(mode_of(scratch_path("a/b/c")), 0711);
    assert_int_equal(mode_of(scratch_path("a/b")), 0755);
    assert_string_equal(capture_next(), "");
}

static void a_folder_that_is_there_stays_as_it_is(void **state)
{
    (void)state;
    const char *path = scratch_path("there");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_make_folder(path, 0755), OK);
    assert_int_equal(mode_of(path), 0700);
    assert_int_equal(file_make_folder("/", 0755), OK);
    assert_int_equal(file_make_folder(".", 0755), OK);
    assert_string_equal(capture_next(), "");
}

static void a_file_in_the_place_of_a_folder_is_named(void **state)
{
    (void)state;
    const char *file = scratch_write("in-the-way", "x");
    assert_int_equal(file_make_folder(file, 0755), ERR_SYSTEM);
    assert_logged("in-the-way");
    assert_int_equal(file_make_folder(scratch_path("in-the-way/deeper/still"), 0755), ERR_SYSTEM);
    assert_logged("a folder is wanted where a file is");
    assert_int_equal(file_make_folder("", 0755), ERR_SYSTEM);
    assert_string_not_equal(capture_next(), "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reading_appends_the_content),
        TEST(a_file_longer_than_one_read_comes_whole),
        TEST(a_file_over_the_limit_leaves_the_buffer_as_it_was),
        TEST(a_file_found_too_large_late_leaves_the_buffer_as_it_was),
        TEST(what_is_no_regular_file_is_refused_without_waiting),
        TEST(a_missing_file_is_not_found_and_not_logged),
        TEST(a_private_file_is_read_only_when_nobody_else_may),
        TEST(a_private_file_of_another_user_is_refused),
        TEST(a_private_file_is_not_read_where_all_may_replace_it),
        TEST(a_private_file_is_not_read_through_a_symbolic_link),
        TEST(writing_replaces_the_whole_file_and_its_mode),
        TEST(writing_creates_a_missing_file),
        TEST(a_bare_name_is_written_to_the_present_folder),
        TEST(a_fresh_file_never_replaces_another),
        TEST(content_of_somebody_else_gets_the_name_when_it_is_whole),
        TEST(a_link_is_replaced_and_its_target_left_alone),
        TEST(a_replaced_file_keeps_its_owner),
        TEST(root_gives_away_only_what_is_roots_alone),
        TEST(a_failed_write_leaves_the_old_file_and_nothing_else),
        TEST(writing_where_no_folder_is_says_what_to_do),
        TEST(folders_are_made_with_their_parents),
        TEST(a_folder_that_is_there_stays_as_it_is),
        TEST(a_file_in_the_place_of_a_folder_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
