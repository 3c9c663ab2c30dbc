/* latchkey throttle, over a real installation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "command_line.h"
#include "database.h"
#include "scratch.h"
#include "store/throttle.h"

static struct outcome outcome;
static int64_t now_s;

/* One failure for alice from each of two networks, one from a network alone, three for bob. */
static void add_counts(void)
{
    struct store *store = NULL;
    struct throttle_admission admission;
    struct throttle_count counts[] = {
        {.kind = THROTTLE_ACCOUNT_AND_NETWORK,
         .account = TEXT("alice"),
         .network = TEXT("192.0.2.7/32")},
        {.kind = THROTTLE_ACCOUNT_AND_NETWORK,
         .account = TEXT("alice"),
         .network = TEXT("2001:db8:1:2::/64")},
        {.kind = THROTTLE_NETWORK, .network = TEXT("192.0.2.7/32")},
        {.kind = THROTTLE_ACCOUNT, .account = TEXT("bob")},
    };
    assert_int_equal(clock_get(&now_s), OK);
    assert_int_equal(store_open(scratch_path("state/latchkey.db"), NULL, STORE_ROLE_LOGIN, &store),
                     OK);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        counts[i].key[0] = (uint8_t)i;
        counts[i].free = i == 3 ? 1 : 5;
        counts[i].first_s = 600;
        counts[i].longest_s = 600;
        counts[i].memory_s = 900;
        assert_int_equal(throttle_admit(store, &counts[i], 1, now_s, &admission), OK);
    }
    store_close(&store);
}

static int set_up(void **state)
{
    (void)state;
    command_line_install();
    command_line_run(&outcome, "a long enough password\n",
                     COMMAND("user", "add", "alice", "--password-stdin"));
    command_line_expect(&outcome, 0, " added.", "");
    command_line_run(&outcome, "a long enough password\n",
                     COMMAND("user", "add", "bob", "--password-stdin"));
    command_line_expect(&outcome, 0, " added.", "");
    add_counts();
    return 0;
}

static void counts_are_listed_for_people_and_for_programs(void **state)
{
    (void)state;
    char wanted[256];
    command_line_run(&outcome, NULL, COMMAND("throttle", "list"));
    command_line_expect(&outcome, 0, "KIND                  USER", "");
    command_line_expect(&outcome, 0, "account and network   alice                 192.0.2.7/32",
                        "");
    command_line_expect(&outcome, 0, "network               -                     192.0.2.7/32",
                        "");
    command_line_run(&outcome, NULL, COMMAND("throttle", "list", "--json"));
    (void)snprintf(wanted, sizeof wanted,
                   "{\"kind\":\"account\",\"user\":\"bob\",\"network\":\"\",\"failures\":1,"
                   "\"failed\":%lld,\"until\":%lld}",
                   (long long)now_s, (long long)now_s + 600);
    command_line_expect(&outcome, 0, wanted, "");
}

static void counts_are_cleared_by_user_by_address_by_network_and_all(void **state)
{
    (void)state;
    static const struct {
        const char *what, *out;
    } cases[] = {
        {"ALICE", "2 counts of failed attempts were cleared.\n"},
        {"bob", "1 count of failed attempts was cleared.\n"},
        {"192.0.2.7", "2 counts"},
        {"192.0.2.7/32", "2 counts"},
        {"::ffff:192.0.2.7", "2 counts"},
        {"2001:db8:1:2:3:4:5:6", "1 count"},
        {"2001:DB8:1:2::/64", "1 count"},
        {"192.0.2.8", "Nothing is counted against that; see `latchkey throttle list`.\n"},
        {"2001:db8:1:2::/63", "Nothing is counted"},
        {"unix:", "Nothing is counted"},
        {"unknown", "Nothing is counted"},
        {NULL, "4 counts"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const words[] = {"throttle", "clear", cases[i].what, NULL};
        command_line_run(&outcome, NULL, words);
        command_line_expect(&outcome, 0, cases[i].out, "");
        command_line_run(&outcome, NULL, COMMAND("throttle", "clear"));
        add_counts();
    }
    command_line_run(&outcome, NULL, COMMAND("throttle", "clear"));
    command_line_run(&outcome, NULL, COMMAND("throttle", "list"));
    command_line_expect(&outcome, 0, "Nobody failed to sign in lately.\n", "");
    command_line_run(&outcome, NULL, COMMAND("throttle", "list", "--json"));
    command_line_expect(&outcome, 0, "[]\n", "");
}

static void what_is_no_user_and_no_network_is_refused_without_a_change(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "carol", "", "192.0.2.7/33", "192.0.2.256", "2001:db8::/x", "' OR 1=1", "/", "%"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const words[] = {"throttle", "clear", bad[i], NULL};
        command_line_run(&outcome, NULL, words);
        command_line_expect(&outcome, 1, "", "there is no user of that name");
    }
    command_line_run(&outcome, NULL, COMMAND("throttle", "clear", "alice", "bob"));
    command_line_expect(&outcome, 2, "", "too many arguments");
    command_line_run(&outcome, NULL, COMMAND("throttle", "list", "alice"));
    command_line_expect(&outcome, 2, "", "too many arguments");
    command_line_run(&outcome, NULL, COMMAND("throttle", "clear", "--json"));
    command_line_expect(&outcome, 2, "", "does not take --json");
    command_line_run(&outcome, NULL, COMMAND("throttle", "clear"));
    command_line_expect(&outcome, 0, "4 counts", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(counts_are_listed_for_people_and_for_programs, set_up),
        cmocka_unit_test_setup(counts_are_cleared_by_user_by_address_by_network_and_all, set_up),
        cmocka_unit_test_setup(what_is_no_user_and_no_network_is_refused_without_a_change, set_up),
    };
    log_open("test_throttle_command", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
