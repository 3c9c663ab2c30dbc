/* latchkey audit: what happened, and whether the record of it can be believed. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/audited.h"
#include "cli/listing.h"

#define OBJECT_MAX 4096 /* six times all that a row has, for escapes */

static const struct listing_column columns[] = {
    {"TIME", -23},    {"USER", -20},    {"ACT", -8},   {"OUTCOME", -7},
    {"ADDRESS", -15}, {"PROGRAM", -16}, {"DETAIL", 0}, {NULL, 0},
};

static bool print_json(struct listing *listing, const struct audit_row *row)
{
    struct buffer object;
    buffer_init(&object, OBJECT_MAX);
    struct json json = json_open(&object);
    json_add_number(&json, "id", row->id);
    json_add_number(&json, "time", row->at_s);
    json_add_text(&json, "act", text_of(row->act));
    json_add_text(&json, "outcome", text_of(row->outcome));
    json_add_text(&json, "user", text_of(row->user));
    json_add_text(&json, "address", text_of(row->address));
    json_add_text(&json, "program", text_of(row->program));
    json_add_text(&json, "detail", text_of(row->detail));
    json_close(&json);
    return listing_add_json(listing, &object);
}

static bool print_row(void *context, const struct audit_row *row)
{
    struct listing *listing = context;
    char time[CLOCK_TEXT_MAX];
    if (listing->json) {
        return print_json(listing, row);
    }
    clock_print(row->at_s, time);
    const char *const cells[] = {time,         listing_dash(row->user),    row->act,
                                 row->outcome, listing_dash(row->address), row->program,
                                 row->detail};
    listing_add_row(listing, columns, cells);
    return true;
}

/* The time that --since means. EXIT_FAILED: told. */
static int read_since(const char *since, int64_t *out_s)
{
    int64_t now_s = 0;
    int64_t back_s = 0;
    *out_s = 0;
    if (since == NULL || clock_parse(text_of(since), out_s) == OK) {
        return EXIT_DONE;
    }
    if (config_parse_duration(text_of(since), &back_s) != OK) {
        return command_fail("--since: give how long ago, as 90s, 30m, 12h or 30d, or a time of "
                            "UTC, as 2026-11-24 or 2026-11-24T16:05:09Z");
    }
    enum status status = clock_get(&now_s);
    *out_s = back_s < now_s ? now_s - back_s : 0;
    return command_finish(status);
}

int audit_run(struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    struct text user = text_of(options->user);
    int64_t since_s = 0;
    if (options->user != NULL && !user_name_is_valid(user)) {
        return command_fail("--user: that is no user name: 1 to %d ASCII letters, digits and "
                            ". _ - @ +",
                            USER_NAME_MAX);
    }
    int result = read_since(options->since, &since_s);
    if (result != EXIT_DONE) {
        return result;
    }
    struct listing listing = listing_init(options);
    enum status status = audit_list(invocation->store, user, since_s, print_row, &listing);
    return command_finish(listing_close(&listing, status, "Nothing is recorded."));
}

static int tell_finding(const struct audit_finding *finding)
{
    if (finding->what != NULL) {
        return command_fail("the audit log cannot be believed: row %lld %s; if no secret was lost, "
                            "and none revoked while it could not be read, somebody can write the "
                            "database: keep a copy of it (latchkey backup FILE), compare it with "
                            "an earlier one, and close that way in",
                            (long long)finding->bad, finding->what);
    }
    (void)printf("%lld row%s, the chain is whole.\n", (long long)finding->rows,
                 finding->rows == 1 ? "" : "s");
    if (finding->unverified > 0) {
        (void)printf("%lld of them %s signed with secrets that are gone; later rows vouch for "
                     "them.\n",
                     (long long)finding->unverified, finding->unverified == 1 ? "was" : "were");
    }
    return EXIT_DONE;
}

int audit_verify_run(struct invocation *invocation)
{
    struct keyring *keyring = NULL;
    struct audit_finding finding;
    enum status status = audited_open_keyring(invocation->config, &keyring);
    if (status == OK) {
        status = audit_verify(invocation->store, keyring, &finding);
    }
    keyring_free(&keyring);
    return status == OK ? tell_finding(&finding) : command_finish(status);
}
