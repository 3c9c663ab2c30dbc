#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/config.h"
#include "base/config_key.h"
#include "scratch.h"

#define BOM "\xef\xbb\xbf"

static const char *write_bytes(struct text content)
{
    const char *path = scratch_path("latchkey.conf");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.len, file), content.len);
    assert_int_equal(fclose(file), 0);
    return path;
}

static struct config *load(const char *content)
{
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    enum status status = config_load(write_bytes(text_of(content)), &config, error);
    if (status != OK) {
        fail_msg("%s\n%s", content, error);
    }
    assert_string_equal(error, "");
    return config;
}

/* Loads what must be refused; `error` then holds the message without the file's name. */
static void load_bad(struct text content, char error[CONFIG_ERROR_MAX])
{
    char whole[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    const char *path = write_bytes(content);
    enum status status = config_load(path, &config, whole);
    if (status != ERR_INPUT) {
        fail_msg("accepted: %.*s", (int)content.len, content.data);
    }
    assert_null(config);
    if (strncmp(whole, path, strlen(path)) != 0) {
        fail_msg("does not name the file: %s", whole);
    }
    (void)snprintf(error, CONFIG_ERROR_MAX, "%s", whole + strlen(path));
}

static void an_empty_file_gives_the_defaults(void **state)
{
    (void)state;
    struct config *config = load("");
    uint64_t cores = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    assert_string_equal(config->site.name, "Latchkey");
    assert_string_equal(config->site.path, "/auth");
    assert_string_equal(config->site.url, "");
    assert_int_equal(config->site.return_hosts.count, 0);
    assert_string_equal(config->site.templates, "");
    assert_int_equal(config->site.trusted_proxies.count, 0);
    assert_string_equal(config->state.directory, "/var/lib/latchkey");
    assert_string_equal(config->state.run_directory, "/run/latchkey");
    assert_string_equal(config->state.user, "latchkey");
    assert_string_equal(config->state.group, "www-data");
    assert_false(config->state.user_is_set);
    assert_false(config->state.group_is_set);
    assert_string_equal(config->database.url, "sqlite:latchkey.db");
    assert_int_equal(config->session.store, SESSION_STORE_DATABASE);
    assert_int_equal(config->session.idle_s, 2 * 3600);
    assert_int_equal(config->session.lifetime_s, 24 * 3600);
    assert_int_equal(config->session.remember_s, 30 * 86400);
    assert_string_equal(config->session.cookie_domain, "");
    assert_true(config->session.secure_cookie);
    assert_int_equal(config->session.data_limit_bytes, 64 * 1024);
    assert_int_equal(config->cache.size_bytes, 64 * 1024 * 1024);
    assert_int_equal(config->password.memory_bytes, 19 * 1024 * 1024);
    assert_int_equal(config->password.passes, 2);
    assert_int_equal(config->password.min_length, 12);
    assert_int_equal(config->throttle.attempts, 5);
    assert_int_equal(config->throttle.window_s, 15 * 60);
    assert_int_equal(config->throttle.ipv4_bits, 32);
    assert_int_equal(config->throttle.ipv6_bits, 64);
    assert_int_equal(config->workers.login, cores);
    assert_int_equal(config->workers.logout, 1);
    assert_int_equal(config->workers.account, 1);
    assert_int_equal(config->workers.gate, 2 * cores);
    assert_int_equal(config->log.level, LOG_LEVEL_INFO);
    assert_true(config->log.audit);
    assert_int_equal(config->log.keep_s, 90 * 86400);
    config_free(&config);
    assert_null(config);
}

static const char whole_file[] =
    "; a comment\n"
    "# another\n"
    "[site]\n"
    "name = Zur alten M\xc3\xbchle ; the inn\n"
    "path=/members/door\r\n"
    "url = https://Example.org:8443\n"
    "return_hosts = A.example.org, *.example.net,intra:8443 192.0.2.7\n"
    "templates = /srv/templates\n"
    "trusted_proxies = 10.0.0.0/8 2001:db8::1, unix:\n"
    "[state]\n"
    "directory = /srv/latchkey\n"
    "run_directory = /tmp/run\n"
    "user = nobody\n"
    "group = web\n"
    "[database]\n"
    "url = sqlite:/srv/db/gate.db\n"
    "[session]\n"
    "\tstore = cookie\n"
    "\tidle = 10m\n"
    "  lifetime = 1s\n"
    "remember: 400d\n"
    "cookie_domain = Example.org\n"
    "secure_cookie = no\n"
    "data_limit = 0\n"
    "[cache]\n"
    "size = 1G\n"
    "[password]\n"
    "memory = 1M\n"
    "passes = 16\n"
    "min_length = 8\n"
    "[throttle]\n"
    "attempts = 1000000\n"
    "window = 90s\n"
    "ipv4_bits = 24\n"
    "ipv6_bits = 48\n"
    "[workers]\n"
    "login = 3\n"
    "logout = 4\n"
    "account = 5\n"
    "gate = 6\n"
    "confinement = required\n"
    "[log] ; the end\n"
    "level = debug\n"
    "audit = no\n"
    "keep = 7d";

static void every_key_of_a_file_is_read(void **state)
{
    (void)state;
    struct config *config = load(whole_file);
    assert_string_equal(config->site.name, "Zur alten M\xc3\xbchle");
    assert_string_equal(config->site.path, "/members/door");
    assert_string_equal(config->site.url, "https://Example.org:8443");
    assert_int_equal(config->site.return_hosts.count, 4);
    assert_string_equal(config->site.return_hosts.items[0], "a.example.org");
    assert_string_equal(config->site.return_hosts.items[1], "*.example.net");
    assert_string_equal(config->site.return_hosts.items[2], "intra:8443");
    assert_string_equal(config->site.return_hosts.items[3], "192.0.2.7");
    assert_string_equal(config->site.templates, "/srv/templates");
    assert_int_equal(config->site.trusted_proxies.count, 3);
    assert_string_equal(config->site.trusted_proxies.items[0], "10.0.0.0/8");
    assert_string_equal(config->site.trusted_proxies.items[1], "2001:db8::1");
    assert_string_equal(config->site.trusted_proxies.items[2], "unix:");
    assert_string_equal(config->state.directory, "/srv/latchkey");
    assert_string_equal(config->state.run_directory, "/tmp/run");
    assert_string_equal(config->state.user, "nobody");
    assert_string_equal(config->state.group, "web");
    assert_true(config->state.user_is_set);
    assert_true(config->state.group_is_set);
    assert_string_equal(config->database.url, "sqlite:/srv/db/gate.db");
    assert_int_equal(config->session.store, SESSION_STORE_COOKIE);
    assert_int_equal(config->session.idle_s, 600);
    assert_int_equal(config->session.lifetime_s, 1);
    assert_int_equal(config->session.remember_s, 400 * 86400);
    assert_string_equal(config->session.cookie_domain, "example.org");
    assert_false(config->session.secure_cookie);
    assert_int_equal(config->session.data_limit_bytes, 0);
    assert_int_equal(config->cache.size_bytes, 1 << 30);
    assert_int_equal(config->password.memory_bytes, 1 << 20);
    assert_int_equal(config->password.passes, 16);
    assert_int_equal(config->password.min_length, 8);
    assert_int_equal(config->throttle.attempts, 1000000);
    assert_int_equal(config->throttle.window_s, 90);
    assert_int_equal(config->throttle.ipv4_bits, 24);
    assert_int_equal(config->throttle.ipv6_bits, 48);
    assert_int_equal(config->workers.login, 3);
    assert_int_equal(config->workers.logout, 4);
    assert_int_equal(config->workers.account, 5);
    assert_int_equal(config->workers.gate, 6);
    assert_int_equal(config->workers.confinement, CONFINEMENT_REQUIRED);
    assert_int_equal(config->log.level, LOG_LEVEL_DEBUG);
    assert_false(config->log.audit);
    assert_int_equal(config->log.keep_s, 7 * 86400);
    config_free(&config);
}

/* So that a key added to the table is added to the file above, too. */
static void the_whole_file_has_every_key(void **state)
{
    (void)state;
    char section[64];
    char name[64];
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        (void)snprintf(section, sizeof section, "\n[%s]", key->section);
        const char *from = strstr(whole_file, section);
        assert_non_null(from);
        (void)snprintf(name, sizeof name, "%s", key->name);
        if (strstr(from, name) == NULL) {
            fail_msg("%s.%s is not tested", key->section, key->name);
        }
    }
}

static const struct {
    const char *content;
    const char *message; /* how the message begins, after the file's name */
} mistakes[] = {
    {"\n[sesion]\n", ":2: unknown section [sesion]; did you mean [session]?"},
    {"[Site]\nname = x\n", ":1: unknown section [Site]; did you mean [site]?"},
    {"[ log ]\n", ":1: unknown section [ log ]; "},
    {"[passwordpolicy]\n",
     ":1: unknown section [passwordpolicy]; there are site, state, database, session, cache, "
     "password, throttle, workers, log"},
    {"[]\n", ":1: unknown section []; there are"},
    {BOM BOM "[site]\n", ":1: a byte order mark behind the start; let the file begin with"},
    {" " BOM "[site]\n", ":1: a byte order mark behind the start; let the file begin with"},
    {"[site\nname = x\n", ":1: a section without its ]; write [section]"},
    {"[site] name = x\n", ":1: more after [section]; write it on a line of its own"},
    {"[session]\n\nsotre = cache\n", ":3: unknown key sotre in [session]; did you mean store?"},
    {"[session]\nLifetime = 2h\n", ":2: unknown key Lifetime in [session]; did you mean lifetime?"},
    {"[state]\nmemory = 19M\n", ":2: unknown key memory in [state]; it belongs to [password]"},
    {"[throttle]\nblockade = 5\n",
     ":2: unknown key blockade in [throttle]; there are attempts, window, ipv4_bits, ipv6_bits"},
    {"[site]\n= x\n", ":2: unknown key  in [site]; there are name, path"},
    {"name = x\n[site]\n", ":1: name stands before any section; write [section] above it"},
    {"[log]\nlevel = info\n\n[site]\n[log]\nlevel = info\n",
     ":6: log.level is given twice, first in line 2; keep one of them"},
    {"[site]\nname\n", ":2: neither [section] nor key = value; a value stands on one line"},
    {"[site]\nreturn_hosts = a.org,\n    b.org\n[sit]\n", ":3: neither [section] nor key"},
    {"[site]\nreturn_hosts = a.org,\n    path = b.org\n",
     ":3: site.path cannot be \"b.org\"; write a path as /auth"},
    {"[site]\nname = \"Shop\"\n",
     ":2: site.name has quotation marks; write the value without them"},
    {"[site]\nname =\n", ":2: site.name cannot be \"\"; write text"},
    {"[site]\nname = ; none\n", ":2: site.name cannot be \"\"; write text"},
    {"[log]\nlevel = info # quiet\n",
     ":2: log.level cannot be \"info # quiet\"; write error, warning, info or debug (a comment "
     "behind a value begins with ;)"},
    {"[log]\nlevel = INFO\n", ":2: log.level cannot be \"INFO\"; write error, warning, info"},
    {"[log]\naudit = maybe\n", ":2: log.audit cannot be \"maybe\"; write yes or no"},
    {"[session]\nstore = redis\n",
     ":2: session.store cannot be \"redis\"; write database, cache or cookie"},
    {"[session]\nidle = 90\n",
     ":2: session.idle cannot be \"90\"; write a duration as 90s, 30m, 12h or 30d, from 1s to "
     "3650d"},
    {"[session]\nremember = 401d\n", ":2: session.remember cannot be \"401d\"; write a duration as "
                                     "90s, 30m, 12h or 30d, from 1s to "
                                     "400d"},
    {"[session]\nidle = 0s\n", ":2: session.idle cannot be \"0s\"; write a duration"},
    {"[session]\nidle = 3651d\n", ":2: session.idle cannot be \"3651d\"; write a duration"},
    {"[session]\nidle = 2 h\n", ":2: session.idle cannot be \"2 h\"; write a duration"},
    {"[throttle]\nwindow = 1y\n", ":2: throttle.window cannot be \"1y\"; write a duration"},
    {"[password]\nmemory = 1023K\n",
     ":2: password.memory cannot be \"1023K\"; write a size as 500, 64K, 19M or 1G, from 1M to "
     "256M"},
    {"[password]\nmemory = 257M\n", ":2: password.memory cannot be \"257M\"; write a size"},
    {"[password]\nmemory = 19MB\n", ":2: password.memory cannot be \"19MB\"; write a size"},
    {"[password]\npasses = 0\n",
     ":2: password.passes cannot be \"0\"; write a number, from 1 to 16"},
    {"[password]\npasses = 17\n", ":2: password.passes cannot be \"17\"; write a number"},
    {"[password]\nmin_length = 7\n", ":2: password.min_length cannot be \"7\"; write a number"},
    {"[password]\nmin_length = 129\n", ":2: password.min_length cannot be \"129\"; write"},
    {"[throttle]\nipv4_bits = 33\n", ":2: throttle.ipv4_bits cannot be \"33\"; write a number"},
    {"[throttle]\nipv4_bits = 0\n", ":2: throttle.ipv4_bits cannot be \"0\"; write a number"},
    {"[throttle]\nipv6_bits = 8\n", ":2: throttle.ipv6_bits cannot be \"8\"; write a number"},
    {"[throttle]\nattempts = -1\n", ":2: throttle.attempts cannot be \"-1\"; write a number"},
    {"[workers]\ngate = 0\n", ":2: workers.gate cannot be \"0\"; write a number, from 1 to 512"},
    {"[workers]\ngate = 18446744073709551617\n", ":2: workers.gate cannot be \"1844674407370955"},
    {"[database]\nurl = mysql://h/d\n",
     ":2: database.url cannot be \"mysql://h/d\"; write sqlite: and the path of a file"},
    {"[database]\nurl = latchkey.db\n", ":2: database.url cannot be \"latchkey.db\"; write"},
    {"[database]\nurl = sqlite:\n", ":2: database.url cannot be \"sqlite:\"; write sqlite:"},
    {"[database]\nurl = sqlite::memory:\n", ":2: database.url cannot be \"sqlite::memory:\";"},
    {"[database]\nurl = sqlite:a?mode=ro\n", ":2: database.url cannot be \"sqlite:a?mode"},
    {"[database]\nurl = sqlite:folder/\n", ":2: database.url cannot be \"sqlite:folder/\";"},
    {"[state]\ndirectory = lib\n", ":2: state.directory cannot be \"lib\"; write an absolute path"},
    {"[state]\ndirectory =\n", ":2: state.directory cannot be \"\"; write an absolute path"},
    {"[site]\ntemplates = ../t\n",
     ":2: site.templates cannot be \"../t\"; write an absolute path, as /srv/latchkey (up to "
     "1000 bytes), or nothing"},
    {"[state]\nuser = -root\n", ":2: state.user cannot be \"-root\"; write a name of the"},
    {"[state]\ngroup = a b\n", ":2: state.group cannot be \"a b\"; write a name of the"},
    {"[site]\nurl = https://example.org/auth\n",
     ":2: site.url cannot be \"https://example.org/auth\"; write a site's address as "
     "https://example.org, without a path"},
    {"[site]\nurl = example.org\n", ":2: site.url cannot be \"example.org\"; write a site's"},
    {"[site]\nreturn_hosts = a.org https://b.org\n",
     ":2: site.return_hosts cannot be \"https://b.org\"; write up to 32 words as example.org, "
     "example.org:8443 or *.example.org, with spaces or commas between"},
    {"[site]\ntrusted_proxies = 10.0.0.1, 10.0.0.256\n",
     ":2: site.trusted_proxies cannot be \"10.0.0.256\"; write up to 32 words as 192.0.2.1"},
    {"[session]\ncookie_domain = .example.org\n",
     ":2: session.cookie_domain cannot be \".example.org\"; write a host name as example.org, "
     "no dot in front"},
    {"[site]\rname = x\r", ":1: a control character (0x0d) at byte 7; save the file as plain"},
    {"[site]\nname = a\x1b[1mb\n", ":2: a control character (0x1b) at byte 9; save the file"},
    {"[site]\nname = M\xfchle\n", ":2: not UTF-8; save the file as plain UTF-8 text"},
    {"[site]\n; caf\xe9\n", ":2: not UTF-8; save the file as plain UTF-8 text"},
    {"[site]\n" BOM "name = x\n", ":2: unknown key " BOM "name in [site]; "},
    /* What a terminal would take for orders, or for another order of letters, is not repeated. */
    {"[a\tb]\n", ":1: unknown section [a?b]; "},
    {"[log]\nlevel\xc2\x9b = x\n", ":2: unknown key level? in [log]; "},
    {"[log]\nlevel = \xe2\x80\xaex\n", ":2: log.level cannot be \"?x\"; "},
    {"[log]\nlevel = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xc3\xbc\n",
     ":2: log.level cannot be \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx?\"; "},
};

static void what_is_wrong_is_named_with_its_line_and_a_remedy(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX];
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        load_bad(text_of(mistakes[i].content), error);
        if (strncmp(error, mistakes[i].message, strlen(mistakes[i].message)) != 0) {
            fail_msg("%s\nwanted %s\ngot    %s", mistakes[i].content, mistakes[i].message, error);
        }
    }
}

static void a_nul_byte_is_an_error_wherever_it_stands(void **state)
{
    (void)state;
    const struct {
        struct text content;
        const char *message;
    } cases[] = {
        {TEXT("[site]\nname = x\0y\n"), ":2: a control character (0x00) at byte 9; "},
        {TEXT("[site]\n; x\0\n"), ":2: a control character (0x00) at byte 4; "},
        {TEXT("\0"), ":1: a control character (0x00) at byte 1; "},
        {TEXT("[\0s\0i\0t\0e\0]\0"), ":1: a control character (0x00) at byte 2; "},
    };
    char error[CONFIG_ERROR_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        load_bad(cases[i].content, error);
        assert_int_equal(strncmp(error, cases[i].message, strlen(cases[i].message)), 0);
    }
}

/* "[site]", then a line of `len` bytes that begins with `start`. */
static const char *long_line(const char *start, size_t len)
{
    static char content[8192];
    int used = snprintf(content, sizeof content, "[site]\n%s", start);
    size_t end = sizeof "[site]\n" - 1 + len;
    assert_true(used > 0 && end + 2 < sizeof content);
    memset(content + used, 'x', end - (size_t)used);
    content[end] = '\n';
    content[end + 1] = '\0';
    return content;
}

static void a_line_that_the_reader_would_cut_is_an_error(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX];
    load_bad(text_of(long_line("name = ", 4097)), error);
    assert_string_equal(error, ":2: a line of more than 4096 bytes; make it shorter");
    load_bad(text_of(long_line("; ", 4097)), error);
    assert_string_equal(error, ":2: a line of more than 4096 bytes; make it shorter");
    struct config *config = load(long_line("; ", 4096));
    config_free(&config);
    load_bad(text_of(long_line("name = ", 4096)), error);
    assert_non_null(strstr(error, ":2: site.name cannot be \"xxx"));
}

static void a_value_longer_than_200_bytes_arrives_whole(void **state)
{
    (void)state;
    char content[1200] = "[state]\ndirectory = /";
    size_t start = strlen(content) - 1;
    memset(content + start + 1, 'd', 999);
    content[start + 1000] = '\0';
    struct config *config = load(content);
    assert_int_equal(strlen(config->state.directory), 1000);
    config_free(&config);
}

static void a_list_holds_as_many_words_as_promised(void **state)
{
    (void)state;
    char content[1024] = "[site]\nreturn_hosts =";
    for (unsigned i = 0; i < CONFIG_LIST_MAX; i++) {
        size_t len = strlen(content);
        (void)snprintf(content + len, sizeof content - len, " host%u.example.org,", i);
    }
    struct config *config = load(content);
    assert_int_equal(config->site.return_hosts.count, CONFIG_LIST_MAX);
    assert_string_equal(config->site.return_hosts.items[31], "host31.example.org");
    config_free(&config);
    char error[CONFIG_ERROR_MAX];
    (void)snprintf(content + strlen(content), sizeof content - strlen(content), " last");
    load_bad(text_of(content), error);
    assert_non_null(strstr(error, ":2: site.return_hosts cannot be \"last\"; write up to 32"));
}

static void a_byte_order_mark_and_windows_lines_are_read(void **state)
{
    (void)state;
    struct config *config = load(BOM "[site]\r\nname = Shop; and more\r\n\r\n[cache]\r\n");
    assert_string_equal(config->site.name, "Shop; and more");
    config_free(&config);
}

static void the_file_comes_from_the_argument_then_the_environment(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    const char *one = scratch_write("one.conf", "[site]\nname = One\n");
    const char *two = scratch_write("two.conf", "[site]\nname = Two\n");
    assert_int_equal(setenv("LATCHKEY_CONFIG", two, 1), 0);
    assert_int_equal(config_load(one, &config, error), OK);
    assert_string_equal(config->site.name, "One");
    assert_string_equal(config->path, one);
    config_free(&config);
    assert_int_equal(config_load(NULL, &config, error), OK);
    assert_string_equal(config->site.name, "Two");
    assert_string_equal(config->path, two);
    config_free(&config);
    assert_int_equal(unsetenv("LATCHKEY_CONFIG"), 0);
}

static void only_the_default_place_may_be_missing(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    const char *missing = scratch_path("missing.conf");
    assert_int_equal(config_load(missing, &config, error), ERR_NOT_FOUND);
    assert_null(config);
    assert_non_null(strstr(error, "missing.conf: no such file; "));
    assert_int_equal(config_load("", &config, error), ERR_NOT_FOUND);
    assert_int_equal(setenv("LATCHKEY_CONFIG", missing, 1), 0);
    assert_int_equal(config_load(NULL, &config, error), ERR_NOT_FOUND);
    assert_non_null(strstr(error, "missing.conf: no such file; "));
    assert_int_equal(setenv("LATCHKEY_CONFIG", "", 1), 0);
    if (access(CONFIG_DEFAULT_PATH, F_OK) != 0) {
        assert_int_equal(config_load(NULL, &config, error), OK);
        assert_null(config->path);
        assert_string_equal(config->site.name, "Latchkey");
        config_free(&config);
    }
    assert_int_equal(unsetenv("LATCHKEY_CONFIG"), 0);
}

static void a_folder_or_a_huge_file_is_refused_in_words(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    assert_int_equal(config_load(scratch_folder(), &config, error), ERR_SYSTEM);
    assert_non_null(strstr(error, "; it must be a regular file that this program may read"));
    const char *path = scratch_write("huge.conf", "");
    assert_int_equal(truncate(path, 256 * 1024 + 1), 0);
    assert_int_equal(config_load(path, &config, error), ERR_TOO_LARGE);
    assert_non_null(strstr(error, "huge.conf: larger than 262144 bytes; is it the right file?"));
    assert_null(config);
}

static void a_message_about_a_file_with_a_long_name_is_whole(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX];
    char name[220];
    struct config *config = NULL;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const char *path = scratch_write(name, "[session]\nidle = 90\n");
    assert_int_equal(config_load(path, &config, error), ERR_INPUT);
    assert_non_null(strstr(error, "nnn:2: session.idle cannot be \"90\"; write a duration as 90s, "
                                  "30m, 12h or 30d, from 1s to 3650d"));
}

static void paths_are_joined_to_the_state_directory(void **state)
{
    (void)state;
    struct config *config = load("");
    assert_string_equal(config_database_path(config), "/var/lib/latchkey/latchkey.db");
    assert_string_equal(config_secret_path(config), "/var/lib/latchkey/secret");
    config_free(&config);
    config = load("[state]\ndirectory = /srv/x\n[database]\nurl = sqlite:db/y.db\n");
    assert_string_equal(config_database_path(config), "/srv/x/db/y.db");
    assert_string_equal(config_secret_path(config), "/srv/x/secret");
    config_free(&config);
    config = load("[database]\nurl = sqlite:/srv/z.db\n");
    assert_string_equal(config_database_path(config), "/srv/z.db");
    config_free(&config);
}

static void the_cookie_has_the_strictest_name_that_browsers_take(void **state)
{
    (void)state;
    static const struct {
        const char *content, *name;
    } cases[] = {
        {"", "__Host-latchkey"},
        {"[session]\ncookie_domain = example.org\n", "__Secure-latchkey"},
        {"[session]\nsecure_cookie = no\n", "latchkey"},
        {"[session]\nsecure_cookie = no\ncookie_domain = example.org\n", "latchkey"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = load(cases[i].content);
        assert_string_equal(config_cookie_name(config), cases[i].name);
        config_free(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(every_key_of_a_file_is_read),
        cmocka_unit_test(the_whole_file_has_every_key),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line_and_a_remedy),
        cmocka_unit_test(a_nul_byte_is_an_error_wherever_it_stands),
        cmocka_unit_test(a_line_that_the_reader_would_cut_is_an_error),
        cmocka_unit_test(a_value_longer_than_200_bytes_arrives_whole),
        cmocka_unit_test(a_list_holds_as_many_words_as_promised),
        cmocka_unit_test(a_byte_order_mark_and_windows_lines_are_read),
        cmocka_unit_test(the_file_comes_from_the_argument_then_the_environment),
        cmocka_unit_test(only_the_default_place_may_be_missing),
        cmocka_unit_test(a_folder_or_a_huge_file_is_refused_in_words),
        cmocka_unit_test(a_message_about_a_file_with_a_long_name_is_whole),
        cmocka_unit_test(paths_are_joined_to_the_state_directory),
        cmocka_unit_test(the_cookie_has_the_strictest_name_that_browsers_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
