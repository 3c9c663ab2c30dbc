#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/owner.h"
#include "scratch.h"

#define HEIR 12345

static const struct owner heir = {.has_user = true,
                                  .user = HEIR,
                                  .group = HEIR,
                                  .has_sockets_group = true,
                                  .sockets_group = 54321};

static struct stat look_at(const char *name)
{
    struct stat found;
    assert_int_equal(lstat(scratch_path(name), &found), 0);
    return found;
}

static void need_root(void)
{
    if (geteuid() != 0) {
        skip();
    }
}

static void files_folders_and_nothing_are_given(void **state)
{
    (void)state;
    need_root();
    (void)scratch_write("file", "x");
    assert_int_equal(owner_give(&heir, scratch_path("file"), false), OK);
    assert_int_equal(look_at("file").st_uid, HEIR);
    assert_int_equal(look_at("file").st_gid, HEIR);
    assert_int_equal(mkdir(scratch_path("folder"), 0750), 0);
    assert_int_equal(owner_give(&heir, scratch_path("folder"), true), OK);
    assert_int_equal(look_at("folder").st_uid, HEIR);
    assert_int_equal(look_at("folder").st_gid, 54321);
    assert_int_equal(owner_give(&heir, scratch_path("missing"), false), OK);
}

static void a_file_with_a_second_name_keeps_its_owner(void **state)
{
    (void)state;
    need_root();
    (void)scratch_write("system", "x");
    assert_int_equal(link(scratch_path("system"), scratch_path("planted")), 0);
    assert_int_equal(owner_give(&heir, scratch_path("planted"), false), ERR_SYSTEM);
    assert_int_equal(look_at("system").st_uid, 0);
}

static void links_and_what_lies_behind_them_keep_their_owner(void **state)
{
    (void)state;
    need_root();
    (void)scratch_write("target", "x");
    assert_int_equal(symlink(scratch_path("target"), scratch_path("link")), 0);
    assert_int_equal(owner_give(&heir, scratch_path("link"), false), ERR_SYSTEM);
    assert_int_equal(owner_give(&(struct owner){0}, scratch_path("link"), true), OK);
    assert_int_equal(look_at("link").st_uid, 0);
    assert_int_equal(look_at("target").st_uid, 0);
    assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
    assert_int_equal(owner_give(&heir, scratch_path("pipe"), false), ERR_SYSTEM);
}

static void a_folder_of_everybody_keeps_its_owner(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(mkdir(scratch_path("shared"), 0700), 0);
    assert_int_equal(chmod(scratch_path("shared"), 01777), 0);
    assert_int_equal(owner_give(&heir, scratch_path("shared"), true), ERR_SYSTEM);
    assert_int_equal(look_at("shared").st_uid, 0);
}

static void root_acts_as_the_user_only_until_it_leaves(void **state)
{
    const struct owner nobody = {.has_user = false};
    (void)state;
    uid_t before = geteuid();
    assert_int_equal(owner_enter(&nobody), OK);
    assert_int_equal(geteuid(), before);
    assert_int_equal(owner_leave(&nobody), OK);
    need_root();
    assert_int_equal(owner_enter(&heir), OK);
    assert_int_equal(geteuid(), heir.user);
    assert_int_equal(getuid(), 0);
    assert_int_equal(owner_leave(&heir), OK);
    assert_int_equal(geteuid(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_folders_and_nothing_are_given),
        cmocka_unit_test(a_file_with_a_second_name_keeps_its_owner),
        cmocka_unit_test(links_and_what_lies_behind_them_keep_their_owner),
        cmocka_unit_test(a_folder_of_everybody_keeps_its_owner),
        cmocka_unit_test(root_acts_as_the_user_only_until_it_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
