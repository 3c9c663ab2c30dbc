/* latchkey throttle: who failed to sign in, and letting them try again at once. */
#include <stdio.h>

#include "auth/throttling.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/secret.h"
#include "cli/audited.h"
#include "cli/command.h"
#include "cli/listing.h"

#define OBJECT_MAX 2048 /* six times all that is shown of a count, for escapes */

static const struct listing_column columns[] = {
    {"KIND", -20}, {"USER", -20},      {"NETWORK", -24}, {"FAILURES", 8},
    {"LAST", -23}, {"WAITS UNTIL", 0}, {NULL, 0},
};

struct throttle_listing {
    struct listing rows;
    int64_t now_s;
};

static bool print_json(struct listing *listing, const struct throttle_row *row)
{
    struct buffer object;
    buffer_init(&object, OBJECT_MAX);
    struct json json = json_open(&object);
    json_add_text(&json, "kind", text_of(throttle_kind_word(row->kind)));
    json_add_text(&json, "user", text_of(row->account));
    json_add_text(&json, "network", text_of(row->network));
    json_add_number(&json, "failures", row->failures);
    json_add_number(&json, "failed", row->failed_s);
    json_add_number(&json, "until", row->until_s);
    json_close(&json);
    return listing_add_json(listing, &object);
}

static bool print_count(void *context, const struct throttle_row *row)
{
    struct throttle_listing *listing = context;
    char failures[24];
    char failed[CLOCK_TEXT_MAX];
    char until[CLOCK_TEXT_MAX] = "-";
    if (listing->rows.json) {
        return print_json(&listing->rows, row);
    }
    (void)snprintf(failures, sizeof failures, "%lld", (long long)row->failures);
    clock_print(row->failed_s, failed);
    if (row->until_s > listing->now_s) {
        clock_print(row->until_s, until);
    }
    const char *const cells[] = {throttle_kind_word(row->kind),
                                 listing_dash(row->account),
                                 listing_dash(row->network),
                                 failures,
                                 failed,
                                 until};
    listing_add_row(&listing->rows, columns, cells);
    return true;
}

int throttle_list_run(struct invocation *invocation)
{
    struct throttle_listing listing = {.rows = listing_init(&invocation->options)};
    enum status status = clock_get(&listing.now_s);
    if (status == OK) {
        status = throttle_list(invocation->store, listing.now_s, print_count, &listing);
    }
    return command_finish(listing_close(&listing.rows, status, "Nobody failed to sign in lately."));
}

/* The network as lists show it: of an address, the one that it is counted in; else as it stands. */
static bool find_network(const struct config *config, struct text what,
                         char out[THROTTLE_NETWORK_MAX + 1])
{
    struct address_block block;
    bool is_block = text_has_byte(what, '/');
    if (address_parse_block(what, &block) == OK && is_block) {
        char text[ADDRESS_TEXT_MAX];
        address_print(&block.first, text);
        (void)snprintf(out, THROTTLE_NETWORK_MAX + 1, "%s/%u", text, block.bits);
        return true;
    }
    throttling_print_network(config, what, out);
    return !is_block && (!text_is(text_of(out), "unknown") || text_is(what, "unknown"));
}

/* What the operand means: a user who has that name, else a network. */
static int find_what(struct invocation *invocation, struct user *user,
                     char network[THROTTLE_NETWORK_MAX + 1])
{
    struct text what = text_of(invocation->options.operands[0]);
    enum status status = users_find(invocation->store, what, user);
    if (status == OK) {
        return EXIT_DONE;
    }
    if (status != ERR_NOT_FOUND) {
        return command_finish(status);
    }
    if (!find_network(invocation->config, what, network)) {
        return command_fail("there is no user of that name, and it is no address or network; see "
                            "`latchkey throttle list`");
    }
    return EXIT_DONE;
}

static void note_clear(const struct invocation *invocation, const struct user *user,
                       const char *network)
{
    char detail[sizeof "cleared: " + THROTTLE_NETWORK_MAX];
    const char *what = network[0] != '\0' ? network : user->id != 0 ? "the account" : "all";
    (void)snprintf(detail, sizeof detail, "cleared: %s", what);
    const struct audit_event event = {
        .act = AUDIT_THROTTLE,
        .outcome = AUDIT_DONE,
        .user_id = user->id,
        .user = text_of(user->name),
        .detail = text_of(detail),
    };
    audited_note(invocation, &event);
}

int throttle_clear_run(struct invocation *invocation)
{
    struct user user = {0};
    char network[THROTTLE_NETWORK_MAX + 1] = "";
    int64_t cleared = 0;
    if (invocation->options.operand_count > 0) {
        int result = find_what(invocation, &user, network);
        if (result != EXIT_DONE) {
            return result;
        }
    }
    enum status status =
        throttle_clear_listed(invocation->store, text_of(user.name), text_of(network), &cleared);
    if (status == OK && cleared == 0) {
        (void)puts("Nothing is counted against that; see `latchkey throttle list`.");
    } else if (status == OK) {
        note_clear(invocation, &user, network);
        (void)printf("%lld count%s of failed attempts %s cleared.\n", (long long)cleared,
                     cleared == 1 ? "" : "s", cleared == 1 ? "was" : "were");
    }
    secret_wipe(&user, sizeof user);
    return command_finish(status);
}
