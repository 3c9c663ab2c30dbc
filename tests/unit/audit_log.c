#include "audit_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "scratch.h"

struct audit audit;

const char *audit_log_secret(void)
{
    return scratch_path("secret");
}

int audit_log_open(void **state)
{
    struct keyring *keyring = NULL;
    (void)state;
    (void)database_make();
    (void)unlink(audit_log_secret());
    assert_int_equal(keyring_create(audit_log_secret()), OK);
    assert_int_equal(keyring_open(audit_log_secret(), KEYS_ALL, &keyring), OK);
    audit = (struct audit){
        .store = database_open(STORE_ROLE_ADMIN),
        .keyring = keyring,
        .program = TEXT("login"),
        .keep_s = AUDIT_LOG_KEEP_S,
        .is_on = true,
    };
    return 0;
}

int audit_log_close(void **state)
{
    (void)state;
    store_close(&audit.store);
    keyring_free(&audit.keyring);
    return 0;
}

enum status audit_log_note(int64_t now_s, const char *detail)
{
    const struct audit_event event = {
        .act = AUDIT_SIGN_IN,
        .outcome = AUDIT_DONE,
        .user_id = 7,
        .user = TEXT("alice"),
        .address = TEXT("192.0.2.7"),
        .detail = text_of(detail),
    };
    return audit_note(&audit, now_s, &event);
}

void audit_log_write(int64_t now_s, int count)
{
    for (int i = 0; i < count; i++) {
        char detail[20];
        (void)snprintf(detail, sizeof detail, "row %d", i + 1);
        assert_int_equal(audit_log_note(now_s + i, detail), OK);
    }
}

struct audit_finding audit_log_verify(void)
{
    struct audit_finding finding = {.rows = -1};
    struct keyring *present = NULL;
    assert_int_equal(keyring_open(audit_log_secret(), KEYS_ALL, &present), OK);
    assert_int_equal(audit_verify(audit.store, present, &finding), OK);
    keyring_free(&present);
    return finding;
}

void audit_log_expect_whole(int64_t rows)
{
    struct audit_finding finding = audit_log_verify();
    if (finding.what != NULL) {
        fail_msg("row %lld %s", (long long)finding.bad, finding.what);
    }
    assert_int_equal(finding.rows, rows);
}

void audit_log_expect_bad(int64_t number, const char *what, const char *because)
{
    struct audit_finding finding = audit_log_verify();
    if (finding.what == NULL || finding.bad != number || strstr(finding.what, what) == NULL) {
        fail_msg("after %s: row %lld %s, not row %lld %s", because, (long long)finding.bad,
                 finding.what != NULL ? finding.what : "(whole)", (long long)number, what);
    }
}

void audit_log_note_quietly(void)
{
    capture_start();
    enum status status = audit_log_note(NOON + 50, "the next");
    capture_end();
    assert_int_equal(status, OK);
}

int64_t audit_log_is_marked(int64_t id)
{
    char sql[100];
    (void)snprintf(sql, sizeof sql, "SELECT broken FROM audit WHERE id = %lld", (long long)id);
    return database_ask(sql);
}
