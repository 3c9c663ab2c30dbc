#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/config_key.h"
#include "base/config_value.h"
#include "base/file.h"
#include "scratch.h"

#define MANUAL     "man/latchkey.conf.5" /* tests run at the top of the tree */
#define MANUAL_MAX ((size_t)256 * 1024)

static struct config *load(const char *content)
{
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    if (config_load(scratch_write("latchkey.conf", content), &config, error) != OK) {
        fail_msg("%s", error);
    }
    return config;
}

static void defaults_written_down_change_nothing(void **state)
{
    (void)state;
    char content[4096] = "";
    size_t len = 0;
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        if (key->per_core == 0) {
            len += (size_t)snprintf(content + len, sizeof content - len, "[%s]\n%s = %s\n",
                                    key->section, key->name, key->fallback);
        }
    }
    assert_true(len < sizeof content);
    struct config *written = load(content);
    struct config *silent = load("");
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        const void *a = (const char *)written + key->offset;
        const void *b = (const char *)silent + key->offset;
        if (key->type >= CONFIG_NUMBER) {
            assert_memory_equal(a, b, sizeof(uint64_t));
        }
    }
    assert_string_equal(written->site.path, silent->site.path);
    config_free(&written);
    config_free(&silent);
}

static void keys_of_a_section_stand_together(void **state)
{
    (void)state;
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        for (const struct config_key *other = config_keys; other < key; other++) {
            assert_false(strcmp(other->section, key->section) == 0 &&
                         strcmp(other->name, key->name) == 0);
            if (strcmp(other->section, key->section) == 0) {
                assert_string_equal((key - 1)->section, key->section);
            }
        }
    }
}

static void every_key_is_found_by_its_name_only(void **state)
{
    (void)state;
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        assert_ptr_equal(config_key_find(key->section, key->name), key);
        assert_true(config_key_has_section(key->section));
        assert_null(config_key_find("", key->name));
        assert_null(config_key_find(key->section, ""));
    }
    assert_null(config_key_find("session", "memory"));
    assert_false(config_key_has_section(""));
    assert_false(config_key_has_section("sessions"));
}

static void suggestions_are_cut_at_the_size_given(void **state)
{
    (void)state;
    char out[24];
    memset(out, '#', sizeof out);
    config_key_suggest_section("nothing-like-it", out, 12);
    assert_string_equal(out, "there are s");
    assert_int_equal(out[12], '#');
    config_key_suggest("throttle", "nothing-like-it", out, 20);
    assert_string_equal(out, "there are attempts,");
    assert_int_equal(out[20], '#');
}

/* The manual's source, with "\\-" as "-"; owned by the caller: buffer_clear. */
static void read_manual(struct buffer *out)
{
    struct buffer raw;
    buffer_init(&raw, MANUAL_MAX);
    buffer_init(out, MANUAL_MAX);
    assert_int_equal(file_read(MANUAL, &raw), OK);
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.data[i] != '\\' || raw.data[i + 1] != '-') {
            buffer_add(out, raw.data + i, 1);
        }
    }
    assert_false(out->failed);
    buffer_clear(&raw);
}

/* How the manual begins the explanation of a key. */
static void print_entry(const struct config_key *key, char *out, size_t size)
{
    char min[CONFIG_NUMBER_TEXT_MAX];
    char max[CONFIG_NUMBER_TEXT_MAX];
    char limits[80];
    config_value_print_number(key->type, key->min, min);
    config_value_print_number(key->type, key->max, max);
    if (key->type >= CONFIG_NUMBER) {
        (void)snprintf(limits, sizeof limits, "from %s to %s.", min, max);
    } else if (key->type == CONFIG_HOSTS || key->type == CONFIG_PROXIES) {
        (void)snprintf(limits, sizeof limits, "up to %d words.", CONFIG_LIST_MAX);
    } else if (key->type == CONFIG_SWITCH) {
        (void)snprintf(limits, sizeof limits, "yes or no.");
    } else if (key->type == CONFIG_STORE || key->type == CONFIG_LEVEL ||
               key->type == CONFIG_CONFINEMENT) {
        (void)snprintf(limits, sizeof limits, "one of ");
    } else {
        (void)snprintf(limits, sizeof limits, "up to %s bytes.", max);
    }
    (void)snprintf(out, size, "\n.It Ic %s\nDefault %s; %s", key->name,
                   key->fallback[0] == '\0' ? "empty" : key->fallback, limits);
}

static void the_manual_has_every_key_with_default_and_limits(void **state)
{
    (void)state;
    struct buffer manual;
    read_manual(&manual);
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        char section[80];
        char entry[200];
        (void)snprintf(section, sizeof section, "\n.Ss [%s]\n", key->section);
        print_entry(key, entry, sizeof entry);
        const char *from = strstr(manual.data, section);
        const char *next = from == NULL ? NULL : strstr(from + 1, "\n.S");
        const char *found = from == NULL ? NULL : strstr(from, entry);
        if (next == NULL || found == NULL || found > next) {
            fail_msg("%s does not say in its section:%s%s", MANUAL, section, entry + 1);
        }
    }
    buffer_clear(&manual);
}

static void the_manual_has_no_key_that_does_not_exist(void **state)
{
    (void)state;
    struct buffer manual;
    char section[64] = "";
    size_t seen = 0;
    read_manual(&manual);
    struct text rest = buffer_text(&manual);
    while (rest.data != NULL) {
        struct text line = text_cut(&rest, '\n');
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", (int)line.len, line.data);
        if (sscanf(name, ".Ss [%63[^]]]", section) == 1) {
            assert_true(config_key_has_section(section));
        }
        if (text_has_prefix(line, TEXT(".It Ic "))) {
            if (config_key_find(section, name + sizeof ".It Ic " - 1) == NULL) {
                fail_msg("%s: no such key: [%s] %s", MANUAL, section, name);
            }
            seen++;
        }
    }
    size_t count = 0;
    while (config_keys[count].section != NULL) {
        count++;
    }
    assert_int_equal(seen, count);
    buffer_clear(&manual);
}

static void the_examples_of_the_manual_are_accepted(void **state)
{
    (void)state;
    static const char begin[] = ".Bd -literal -offset indent\n[";
    struct buffer manual;
    size_t seen = 0;
    read_manual(&manual);
    char *example = manual.data;
    while ((example = strstr(example, begin)) != NULL) {
        example += sizeof begin - 2;
        char *end = strstr(example, ".Ed\n");
        assert_non_null(end);
        *end = '\0';
        struct config *config = load(example);
        config_free(&config);
        example = end + 1;
        seen++;
    }
    assert_int_equal(seen, 3);
    buffer_clear(&manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_written_down_change_nothing),
        cmocka_unit_test(keys_of_a_section_stand_together),
        cmocka_unit_test(every_key_is_found_by_its_name_only),
        cmocka_unit_test(suggestions_are_cut_at_the_size_given),
        cmocka_unit_test(the_manual_has_every_key_with_default_and_limits),
        cmocka_unit_test(the_manual_has_no_key_that_does_not_exist),
        cmocka_unit_test(the_examples_of_the_manual_are_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
