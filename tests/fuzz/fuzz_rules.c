/* The access rule: LATCHKEY_GROUPS, at the gate, for one who is signed in.
 *
 * Promised: a request passes only with one session that is alive, and then only if no groups are
 * asked for or one of the list is one of the user's; whatever cannot be read lets nobody pass. A
 * pass names the user that the session is of; a refusal names nobody. The list is read here once
 * more, by another hand, and the gate must answer as that says.
 *
 * Input: a byte of flags, a second list (a byte of length before it), then the list. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "http/exchange.h"
#include "installation.h"
#include "web/gate.h"

enum {
    FLAG_USER = 3, /* which of the four */
    FLAG_AUTHORIZER = 4,
    FLAG_COOKIE = 24, /* one of the four below */
    COOKIE_GOOD = 0,
    COOKIE_NONE = 8,
    COOKIE_BENT = 16,
    COOKIE_TWO = 24,
    FLAG_PAGE = 32,
    FLAG_NO_LIST = 64,
    FLAG_SECOND_LIST = 128,
};

#define USERS       4
#define COOKIE_NAME "__Host-latchkey="

static const struct {
    const char *name;
    const char *groups[3];
} people[USERS] = {
    {"alice", {"admins", "staff", NULL}},
    {"bob", {"a", NULL, NULL}},
    {"nobody", {NULL, NULL, NULL}},
    {"carol@example.org", {"x.y-z_@+", "Staff", NULL}},
};

/* What stands ready once and for all. */
static struct {
    bool is_open;
    struct site site;
    struct exchange exchange;
    char cookies[USERS][sizeof COOKIE_NAME + TOKEN_TEXT_MAX];
} gate;

static const struct http_program program = {
    .name = "gate", .is_brief = true, .handle = gate_handle, .refuse = gate_refuse};

static void sign_in(struct store *store, const struct sessions *sessions, size_t index)
{
    struct user user = {.created_s = 1800000000, .hash = "$none$"};
    struct token token = {0};
    char text[TOKEN_TEXT_MAX + 1];
    struct session_start start = {0};
    (void)snprintf(user.name, sizeof user.name, "%s", people[index].name);
    for (size_t i = 0; i < 3 && people[index].groups[i] != NULL; i++) {
        fuzz_require(user_add_group(&user, text_of(people[index].groups[i])) == OK,
                     "a user can have groups");
    }
    fuzz_require(clock_get(&start.now_s) == OK && users_add(store, &user) == OK &&
                     session_begin(sessions, &user, &start, &token) == OK &&
                     token_encode(gate.site.auth.keyring, &token, text) == OK,
                 "a user can sign in");
    (void)snprintf(gate.cookies[index], sizeof gate.cookies[index], "%s%s", COOKIE_NAME, text);
}

static void open_gate(void)
{
    struct sessions sessions;
    struct config *config = installation_make();
    struct store *store = installation_open(config, STORE_ROLE_ADMIN);
    gate.site = (struct site){.config = config};
    fuzz_require(auth_open(config, "gate", STORE_ROLE_GATE, true, &gate.site.auth) == OK &&
                     exchange_open(&program, &gate.site, &gate.exchange) == OK &&
                     sessions_open(config, store, STORE_ROLE_ADMIN, false, &sessions) == OK,
                 "a gate can be opened");
    for (size_t i = 0; i < USERS; i++) {
        sign_in(store, &sessions, i);
    }
    sessions_close(&sessions);
    store_close(&store);
    gate.is_open = true;
}

/* ---- the rule, once more ---- */

static bool is_same_word(struct text a, const char *b)
{
    size_t i = 0;
    while (i < a.len && b[i] != '\0' && text_lower(a.data[i]) == text_lower(b[i])) {
        i++;
    }
    return i == a.len && b[i] == '\0' && i > 0;
}

/* The list from its end to its begin: pieces between commas, blanks and tabs around them left out.
 */
static bool has_welcome(struct text list, size_t user)
{
    size_t end = list.len;
    for (size_t i = list.len + 1; i > 0; i--) {
        if (i > 1 && list.data[i - 2] != ',') {
            continue;
        }
        struct text piece = {list.data + i - 1, end - (i - 1)};
        while (piece.len > 0 && (piece.data[0] == ' ' || piece.data[0] == '\t')) {
            piece = text_from(piece, 1);
        }
        while (piece.len > 0 &&
               (piece.data[piece.len - 1] == ' ' || piece.data[piece.len - 1] == '\t')) {
            piece.len--;
        }
        for (size_t j = 0; j < 3 && people[user].groups[j] != NULL; j++) {
            if (is_same_word(piece, people[user].groups[j])) {
                return true;
            }
        }
        end = i > 1 ? i - 2 : 0;
    }
    return false;
}

/* ---- the request ---- */

static struct text choose_cookie(uint8_t flags, size_t user, char bent[sizeof gate.cookies[0] * 2])
{
    size_t len = strlen(gate.cookies[user]);
    memcpy(bent, gate.cookies[user], len);
    switch (flags & FLAG_COOKIE) {
    case COOKIE_NONE:
        return TEXT("theme=dark");
    case COOKIE_BENT:
        bent[sizeof COOKIE_NAME + 20] ^= 1;
        return (struct text){bent, len};
    case COOKIE_TWO:
        len += (size_t)snprintf(bent + len, sizeof gate.cookies[0], "; %s",
                                gate.cookies[(user + 1) % USERS]);
        return (struct text){bent, len};
    default:
        return (struct text){bent, len};
    }
}

static bool has_header(struct text answer, const char *name, const char *value)
{
    while (answer.len > 0) {
        struct text line = text_cut(&answer, '\n');
        if (text_cut_prefix(&line, text_of(name)) && text_cut_prefix(&line, TEXT(": "))) {
            line.len -= line.len > 0;
            return value == NULL || text_is(line, value);
        }
    }
    return false;
}

/* Whether the answer is one that web servers take for a pass. */
static bool check_answer(struct text answer, enum role role, size_t user)
{
    static const char *const refusals[] = {"400 ", "401 ", "403 ", "303 "};
    bool is_authorizer = role == ROLE_AUTHORIZER;
    const char *header = is_authorizer ? "Variable-REMOTE_USER" : "Remote-User";
    struct text rest = answer;
    fuzz_require(text_cut_prefix(&rest, TEXT("Status: ")), "an answer begins with its status");
    bool passes =
        text_has_prefix(rest, is_authorizer ? TEXT("200 OK\r\n") : TEXT("204 No Content\r\n"));
    bool is_refusal = false;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        is_refusal = is_refusal || text_has_prefix(rest, text_of(refusals[i]));
    }
    fuzz_require(passes != is_refusal, "an answer is a pass or a refusal");
    fuzz_require(!passes || has_header(answer, header, people[user].name),
                 "a pass names the user of the session");
    fuzz_require(passes || (!has_header(answer, "Remote-User", NULL) &&
                            !has_header(answer, "Variable-REMOTE_USER", NULL)),
                 "a refusal names nobody");
    return passes;
}

static bool ask(struct text cookie, struct fields lists, uint8_t flags)
{
    struct field items[10] = {
        {TEXT("REQUEST_METHOD"), TEXT("GET")},
        {TEXT("REQUEST_URI"), TEXT("/private/?a=b")},
        {TEXT("REMOTE_ADDR"), TEXT("192.0.2.1")},
        {TEXT("SERVER_PROTOCOL"), TEXT("HTTP/1.1")},
        {TEXT("HTTP_COOKIE"), cookie},
        {TEXT("HTTP_ACCEPT"), (flags & FLAG_PAGE) != 0 ? TEXT("text/html") : TEXT("*/*")},
    };
    for (size_t i = 0; i < lists.count; i++) {
        items[6 + i] = lists.items[i];
    }
    const struct request_source source = {
        .role = (flags & FLAG_AUTHORIZER) != 0 ? ROLE_AUTHORIZER : ROLE_RESPONDER,
        .params = params_judge((struct fields){items, 6 + lists.count}),
    };
    fuzz_require(exchange_answer(&gate.exchange, &source) == OK, "a request is answered");
    bool passes = check_answer(buffer_text(&gate.exchange.answer), source.role, flags & FLAG_USER);
    exchange_reset(&gate.exchange);
    return passes;
}

bool fuzz_one(struct text input)
{
    char bent[sizeof gate.cookies[0] * 2];
    uint8_t flags = fuzz_take_byte(&input);
    size_t user = flags & FLAG_USER;
    struct field lists[2];
    struct fields given = {lists, 0};
    struct text second = fuzz_take_piece(&input);
    if (!gate.is_open) {
        open_gate();
    }
    if ((flags & FLAG_NO_LIST) == 0) {
        lists[given.count++] = (struct field){TEXT("LATCHKEY_GROUPS"), input};
    }
    if ((flags & FLAG_SECOND_LIST) != 0) {
        lists[given.count++] = (struct field){TEXT("LATCHKEY_GROUPS"), second};
    }
    bool is_welcome = (flags & FLAG_COOKIE) == COOKIE_GOOD;
    for (size_t i = 0; i < given.count; i++) {
        bool contradicts = !text_equal(lists[0].value, lists[i].value);
        is_welcome = is_welcome && !contradicts && !text_has_byte(lists[i].value, '\0') &&
                     has_welcome(lists[i].value, user);
    }
    bool passes = ask(choose_cookie(flags, user, bent), given, flags);
    fuzz_require(passes == is_welcome, "who passes is who is welcome");
    return passes;
}
