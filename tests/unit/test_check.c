/* latchkey check finds each thing that can be wrong, and nothing where all is well. */
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "command_line.h"
#include "database.h"
#include "native.h"
#include "scratch.h"

static struct outcome outcome;

static const char *state_of(const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof path, "state/%s", name);
    return scratch_path(path);
}

/* The line of the report that begins so, as a copy; NULL when there is none. */
static const char *find_line(const char *begin)
{
    static char line[1024];
    for (const char *at = outcome.out; at != NULL && at[0] != '\0';) {
        const char *end = strchr(at, '\n');
        if (strncmp(at, begin, strlen(begin)) == 0) {
            (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
            return line;
        }
        at = end != NULL ? end + 1 : NULL;
    }
    return NULL;
}

static void check(void)
{
    command_line_run(&outcome, NULL, COMMAND("check"));
}

/* The report has a line that begins with `begin` and holds `remedy`, and a status to match. */
static void expect_line(const char *begin, const char *remedy)
{
    check();
    const char *line = find_line(begin);
    bool is_error = strncmp(begin, "error", 5) == 0;
    if (line == NULL || strstr(line, remedy) == NULL || (is_error && outcome.status != 1)) {
        fail_msg("%s … %s; status %d\n%s%s", begin, remedy, outcome.status, outcome.out,
                 outcome.err);
    }
    /* What is wrong says what to do. */
    if (strncmp(begin, "ok", 2) != 0) {
        assert_non_null(strstr(line, "; "));
    }
}

static int install(void **state)
{
    (void)state;
    command_line_install();
    return 0;
}

static void a_good_installation_has_no_error(void **state)
{
    static const char *const items[] = {
        "configuration", "clock",    "cookie",      "state.directory", "state.run_directory",
        "secret",        "database", "passwords",   "templates",       "sockets",
        "state.group",   "programs", "confinement",
    };
    (void)state;
    skip_unless_native("confinement");
    check();
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        char begin[64];
        (void)snprintf(begin, sizeof begin, "ok: %s: ", items[i]);
        if (find_line(begin) == NULL) {
            fail_msg("%s\n%s%s", begin, outcome.out, outcome.err);
        }
    }
    assert_int_equal(outcome.status, 0);
    assert_string_equal(outcome.err, "");
    assert_non_null(find_line("0 errors, "));
}

static void every_line_says_how_bad_it_is(void **state)
{
    (void)state;
    command_line_configure("[session]\nsecure_cookie = no\ncookie_domain = example.org\n");
    assert_int_equal(unlink(state_of("secret")), 0);
    check();
    assert_int_equal(outcome.status, 1);
    size_t errors = 0, warnings = 0;
    char last[64] = "";
    char *rest = NULL;
    for (char *line = strtok_r(outcome.out, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        bool is_error = strncmp(line, "error: ", 7) == 0;
        bool is_warning = strncmp(line, "warning: ", 9) == 0;
        errors += is_error;
        warnings += is_warning;
        (void)snprintf(last, sizeof last, "%s", line);
        assert_true(is_error || is_warning || strncmp(line, "ok: ", 4) == 0 ||
                    strstr(line, " error") != NULL);
    }
    char sum[64];
    (void)snprintf(sum, sizeof sum, "%zu error%s, %zu warning%s", errors, errors == 1 ? "" : "s",
                   warnings, warnings == 1 ? "" : "s");
    assert_string_equal(last, sum);
    assert_true(errors >= 1 && warnings >= 2);
}

static void a_bad_configuration_is_the_only_line(void **state)
{
    (void)state;
    command_line_configure("[session]\nsotre = cookie\n");
    expect_line("error: configuration: ", "latchkey.conf:8: ");
    assert_non_null(strstr(outcome.out, "did you mean store?"));
    command_line_run(&outcome, NULL, COMMAND("check", "-c", scratch_path("missing")));
    command_line_expect(&outcome, 1, "error: configuration: ", "");
}

static void settings_that_are_dangerous_are_warned_of(void **state)
{
    (void)state;
    skip_unless_native("confinement");
    command_line_configure("[session]\nsecure_cookie = no\n");
    expect_line("warning: session.secure_cookie: ", "leave the key out");
    assert_int_equal(outcome.status, 0);
    command_line_configure("[session]\ncookie_domain = example.org\n");
    expect_line("warning: session.cookie_domain: every host below example.org ",
                "leave the key out");
    assert_int_equal(outcome.status, 0);
}

static void passwords_that_are_guessed_fast_are_warned_of(void **state)
{
    static const struct {
        const char *settings;
        bool warned;
    } cases[] = {
        {"", false},
        {"memory = 19M\npasses = 2\n", false},
        {"memory = 46M\npasses = 1\n", false},
        {"memory = 12M\npasses = 3\n", false},
        {"memory = 12M\npasses = 16\n", false},
        {"memory = 18M\npasses = 2\n", true},
        {"memory = 45M\npasses = 1\n", true},
        {"memory = 11M\npasses = 16\n", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char content[256];
        (void)snprintf(content, sizeof content, "[password]\n%s", cases[i].settings);
        assert_int_equal(setenv("LATCHKEY_CONFIG", scratch_write("cost.conf", content), 1), 0);
        check();
        assert_int_equal(strstr(outcome.out, "warning: password.memory: ") != NULL,
                         cases[i].warned);
    }
}

static bool is_in_memory(const char *path)
{
    struct statfs found;
    return statfs(path, &found) == 0 && found.f_type == TMPFS_MAGIC;
}

static void the_cache_is_looked_at_when_it_is_used(void **state)
{
    (void)state;
    skip_unless_native("confinement");
    char line[256];
    check();
    assert_null(strstr(outcome.out, ": cache: "));
    command_line_configure("[session]\nstore = cache\n[cache]\nsize = 4M\n");
    expect_line("ok: cache: ", "cache.db: 0 sessions take ");
    (void)snprintf(line, sizeof line, " of %d KiB; 0 had to go early", 3 * 1024 - 32);
    expect_line("ok: cache: ", line);
    assert_int_equal(outcome.status, 0);
    if (!is_in_memory(scratch_path("run"))) {
        expect_line("warning: cache: ", "name a folder of a tmpfs in state.run_directory");
    }
    assert_int_equal(unlink(scratch_path("run/cache.db")), 0);
    assert_int_equal(mkdir(scratch_path("run/cache.db"), 0700), 0);
    expect_line("error: cache: ", "correct what standard error says");
    assert_non_null(strstr(outcome.err, "move it away"));
}

static void a_cache_in_memory_draws_no_warning(void **state)
{
    (void)state;
    char folder[] = "/dev/shm/latchkey-test-XXXXXX";
    char content[512];
    if (!is_in_memory("/dev/shm")) {
        skip();
    }
    assert_non_null(mkdtemp(folder));
    (void)snprintf(content, sizeof content,
                   "[state]\ndirectory = %s/state\nrun_directory = %s\n[session]\nstore = cache\n",
                   scratch_folder(), folder);
    assert_int_equal(setenv("LATCHKEY_CONFIG", scratch_write("memory.conf", content), 1), 0);
    check();
    static const char *const names[] = {"cache.db", "cache.db-wal", "cache.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(content, sizeof content, "%s/%s", folder, names[i]);
        (void)unlink(content);
    }
    assert_int_equal(rmdir(folder), 0);
    assert_non_null(find_line("ok: cache: "));
    assert_null(find_line("warning: cache: "));
}

static void folders_that_are_missing_or_open_are_found(void **state)
{
    (void)state;
    assert_int_equal(chmod(scratch_path("state"), 0750), 0);
    expect_line("error: state.directory: ", "run chmod 700 ");
    assert_int_equal(chmod(scratch_path("state"), 0700), 0);
    assert_int_equal(chmod(scratch_path("run"), 0777), 0);
    expect_line("error: state.run_directory: ", "run chmod 755 ");
    assert_int_equal(chmod(scratch_path("run"), 0755), 0);
    expect_line("ok: state.run_directory: ", "");
    assert_int_equal(rmdir(scratch_path("run")), 0);
    expect_line("warning: state.run_directory: ", "run latchkey init or latchkey serve");
    (void)scratch_write("run", "a file");
    expect_line("error: state.run_directory: ", "name another");
    assert_int_equal(unlink(scratch_path("run")), 0);
    assert_int_equal(rename(scratch_path("state"), scratch_path("away")), 0);
    expect_line("error: state.directory: ", "run latchkey init");
    assert_non_null(find_line("error: secret: "));
    assert_non_null(find_line("error: database: "));
    assert_int_equal(rename(scratch_path("away"), scratch_path("state")), 0);
}

static void a_secret_that_is_of_no_use_is_found(void **state)
{
    (void)state;
    assert_int_equal(chmod(state_of("secret"), 0640), 0);
    expect_line("error: secret: ", "correct its owner and mode");
    assert_non_null(strstr(outcome.err, "chmod 600"));
    assert_int_equal(unlink(state_of("secret")), 0);
    expect_line("error: secret: ", "run latchkey init");
    (void)scratch_write("state/secret", "hunter2\n");
    expect_line("error: secret: ", "run latchkey secret revoke");
    assert_null(strstr(outcome.out, "hunter2"));
    assert_null(strstr(outcome.err, "hunter2"));
}

static void a_database_that_is_of_no_use_is_found(void **state)
{
    (void)state;
    assert_int_equal(chmod(state_of("latchkey.db"), 0644), 0);
    expect_line("error: database: ", "run chmod 600 ");
    assert_int_equal(unlink(state_of("latchkey.db")), 0);
    expect_line("error: database: ", "run latchkey init");
    assert_int_not_equal(access(state_of("latchkey.db"), F_OK), 0);
    (void)scratch_write("state/latchkey.db", "");
    expect_line("error: database: ", "restore a backup");
    (void)scratch_write("state/latchkey.db", "this is no database at all, but some text\n");
    expect_line("error: database: ", "restore a backup");
}

/* Puts a database made by the helpers in the place of the installation's. */
static void use_database(void)
{
    (void)unlink(state_of("latchkey.db"));
    assert_int_equal(rename(scratch_path("latchkey.db"), state_of("latchkey.db")), 0);
}

static void the_structure_of_the_database_is_looked_at(void **state)
{
    (void)state;
    (void)database_make();
    database_exec("PRAGMA user_version = 0");
    use_database();
    expect_line("error: database: ", "run latchkey migrate");
    (void)database_make();
    database_exec("PRAGMA user_version = 9999");
    use_database();
    expect_line("error: database: ", "update this one");
    (void)database_make();
    database_damage(1);
    use_database();
    expect_line("error: database: ", "restore a backup");
}

static void templates_are_parsed(void **state)
{
    char more[512];
    (void)state;
    (void)mkdir(scratch_path("pages"), 0700);
    (void)snprintf(more, sizeof more, "[site]\ntemplates = %s\n", scratch_path("pages"));
    command_line_configure(more);
    expect_line("ok: templates: ", "pages");
    (void)scratch_write("pages/login.mustache", "<p>\n{{#errors}}\n");
    expect_line("error: templates: ", "login.mustache:");
    assert_int_equal(unlink(scratch_path("pages/login.mustache")), 0);
    (void)scratch_write("pages/logn.mustache", "x");
    expect_line("error: templates: ", "logn.mustache");
    assert_int_equal(unlink(scratch_path("pages/logn.mustache")), 0);
    assert_int_equal(rmdir(scratch_path("pages")), 0);
    expect_line("error: templates: ", "pages");
}

static void a_run_directory_too_long_for_sockets_is_found(void **state)
{
    (void)state;
    /* Of 107 bytes "/account.sock" leaves 94 for the folder. */
    for (int len = 94; len <= 95; len++) {
        char content[1024];
        (void)snprintf(content, sizeof content,
                       "[state]\ndirectory = %s/state\nrun_directory = /%0*d\n", scratch_folder(),
                       len - 1, 0);
        assert_int_equal(setenv("LATCHKEY_CONFIG", scratch_write("long.conf", content), 1), 0);
        expect_line(len == 94 ? "ok: sockets: " : "error: sockets: ",
                    len == 94 ? "fit" : "name a shorter one");
    }
}

static void more_hashing_than_there_is_memory_is_warned_of(void **state)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    (void)state;
    if (memory / 2 >= (uint64_t)256 * (256 << 20)) {
        skip();
    }
    const char *content = "[password]\nmemory = 256M\n[workers]\nlogin = 256\n";
    assert_int_equal(setenv("LATCHKEY_CONFIG", scratch_write("greedy.conf", content), 1), 0);
    expect_line("warning: passwords: 256 hashes at once may take 65536 of the ",
                "lower workers.login or password.memory");
}

static void users_and_groups_that_are_named_must_exist(void **state)
{
    (void)state;
    command_line_configure("[state]\ngroup = nobody-of-that-name\n");
    expect_line("error: owner: ", "make it with adduser or addgroup");
    if (geteuid() != 0) {
        return;
    }
    command_line_configure("[state]\nuser = nobody-of-that-name\n");
    expect_line("error: owner: ", "make it with adduser or addgroup");
}

static void root_looks_as_the_user_who_runs_the_programs(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chmod(scratch_folder(), 0755), 0);
    command_line_configure("[state]\nuser = www-data\ngroup = www-data\n");
    expect_line("error: state.directory: ", "run latchkey init");
    expect_line("error: configuration: ", "let that user read it");
    command_line_run(&outcome, NULL, COMMAND("init"));
    assert_int_equal(chmod(scratch_path("latchkey.conf"), 0644), 0);
    expect_line("ok: state.user: www-data", "");
    assert_non_null(find_line("ok: configuration: "));
    assert_non_null(find_line("ok: state.directory: "));
    assert_non_null(find_line("ok: secret: "));
    assert_non_null(find_line("ok: database: "));
    assert_int_equal(chown(state_of("latchkey.db"), 0, 0), 0);
    expect_line("error: database: ", "standard error");
    assert_int_equal(chmod(scratch_folder(), 0700), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_good_installation_has_no_error, install),
        cmocka_unit_test_setup(every_line_says_how_bad_it_is, install),
        cmocka_unit_test_setup(a_bad_configuration_is_the_only_line, install),
        cmocka_unit_test_setup(settings_that_are_dangerous_are_warned_of, install),
        cmocka_unit_test_setup(passwords_that_are_guessed_fast_are_warned_of, install),
        cmocka_unit_test_setup(the_cache_is_looked_at_when_it_is_used, install),
        cmocka_unit_test_setup(a_cache_in_memory_draws_no_warning, install),
        cmocka_unit_test_setup(folders_that_are_missing_or_open_are_found, install),
        cmocka_unit_test_setup(a_secret_that_is_of_no_use_is_found, install),
        cmocka_unit_test_setup(a_database_that_is_of_no_use_is_found, install),
        cmocka_unit_test_setup(the_structure_of_the_database_is_looked_at, install),
        cmocka_unit_test_setup(templates_are_parsed, install),
        cmocka_unit_test_setup(a_run_directory_too_long_for_sockets_is_found, install),
        cmocka_unit_test_setup(more_hashing_than_there_is_memory_is_warned_of, install),
        cmocka_unit_test_setup(users_and_groups_that_are_named_must_exist, install),
        cmocka_unit_test_setup(root_looks_as_the_user_who_runs_the_programs, install),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
