/* What a new password must be like.
 *
 * Three things, in this order: its form (length, UTF-8), what everybody knows of the account, and
 * how soon it would be guessed. The last is zxcvbn's word (Wheeler, USENIX Security 2016; the C
 * library of that name), which takes a password apart into words of its dictionaries, names, rows
 * of keys, sequences, repeats and dates, and counts in bits how many guesses the cheapest
 * explanation needs. Its dictionaries have the leaked passwords that are tried first. The words
 * below are added to it, for it knows little but English and the American keyboard.
 *
 * BITS_MIN is what keeps off those who may only ask the login page: 2^27 guesses are a hundred
 * million, for which the four in an hour that throttling leaves (throttling.c) take 3,800 years.
 * More would refuse what programs draw: of 100,000 times 12 letters this bound refuses one, of as
 * many times 15 hexadecimal digits none. Of 70 leaked passwords of 12 or more characters, which the
 * words below were not chosen from, 64 are refused. The steps above are about who stole the
 * database: at ten thousand argon2id guesses in a second, 40 bits last for years and 60 for
 * millions of years.
 *
 * Two things it does not see are looked at here. Fewer than DIFFERENT_MIN characters in any order
 * are soon tried through. And letters of other alphabets count as if their bytes were drawn, though
 * they may be one word that everybody knows; so a password of mostly such bytes may pass, but is
 * called no better than fair.
 *
 * Time: zxcvbn's grows with the fourth power of the length where short rows follow each other ("12"
 * fifty times takes it more than a second), so it sees LOOK_BYTES bytes only; what follows them
 * makes a password neither better nor worse. The worst of six thousand tries to find the worst took
 * 12 ms, less than the hash that follows, and random letters 0.03 ms. Looking for names in 1024
 * bytes takes less than that.
 *
 * Secrets: the copy that is made here is wiped. Of its own, zxcvbn makes one (the password
 * backwards) and overwrites it before it frees it; what it keeps of its findings are positions and
 * numbers. What stays of single characters in its part of the stack is not reached. Time tells of
 * the password, but only to who has just sent it.
 *
 * What this does not protect: a password that is used elsewhere too and was stolen there; a phrase
 * from a book, whose words are counted one by one; most words of other alphabets, which only are
 * not praised. Without memory, zxcvbn crashes, and the request with it. */
#include "auth/password_rules.h"

#include <stdio.h>
#include <zxcvbn.h>

#include "base/secret.h"

#define LOOK_BYTES  40
#define BITS_MIN    27.0
#define BITS_GOOD   40.0
#define BITS_STRONG 60.0

#define DIFFERENT_MIN 4 /* characters, in any password */

#define NAME_CHARACTERS_MIN 3   /* shorter ones are in everything */
#define NAME_BYTES_MAX      128 /* of a display name; all others are shorter */
#define NAMES_MAX           16

/* What is tried first where zxcvbn's dictionaries do not reach: other languages and keyboards, and
 * some that are famous as a whole. In lower case, as zxcvbn wants its words. */
static const char *const common[] = {
    "passwort",
    "kennwort",
    "geheim",
    "hallo",
    "schatz",
    "ichliebedich",
    "motdepasse",
    "jetaime",
    "contrasena",
    "teamo",
    "tequiero",
    "estrellita",
    "senha",
    "wachtwoord",
    "haslo",
    "parola",
    "forza",
    "woaini",
    "5201314",
    "qwertz",
    "qwertzuiop",
    "azerty",
    "azertyuiop",
    "q1w2e3r4t5y6",
    "1q2w3e4r5t6y",
    "a1b2c3d4e5f6",
    "1a2b3c4d5e6f",
    "zaqwsxcderfv",
    "!qaz",
    "opensesame",
    "hakunamatata",
    "tobeornottobe",
    "callofduty",
    "naruto",
    "пароль",
    "привет",
    "йцукен",
    "любовь",
    "密码",
    "我爱你",
    "supercalifragilisticexpialidocious",
};

#define COMMON_COUNT (sizeof common / sizeof common[0])

static const char advice[] =
    "Three or four words that have nothing to do with each other make a good one.";

/* By what most of the password is. */
enum reason { REASON_OTHER, REASON_WORDS, REASON_KEYS, REASON_ROW, REASON_REPEAT, REASON_DATE };

static const char *const sentences[] = {
    [REASON_OTHER] = "It would be guessed soon.",
    [REASON_WORDS] = "It is made of words and numbers that are tried first.",
    [REASON_KEYS] = "It is mostly a row of keys.",
    [REASON_ROW] = "It is mostly a row of letters or digits that follow each other.",
    [REASON_REPEAT] = "It mostly repeats itself.",
    [REASON_DATE] = "It is mostly a date.",
};

#define REASONS (sizeof sentences / sizeof sentences[0])

static const enum reason reason_of_match[] = {
    [NON_MATCH] = REASON_OTHER,        [BRUTE_MATCH] = REASON_OTHER,
    [DICTIONARY_MATCH] = REASON_WORDS, [DICT_LEET_MATCH] = REASON_WORDS,
    [USER_MATCH] = REASON_WORDS,       [USER_LEET_MATCH] = REASON_WORDS,
    [REPEATS_MATCH] = REASON_REPEAT,   [SEQUENCE_MATCH] = REASON_ROW,
    [SPATIAL_MATCH] = REASON_KEYS,     [DATE_MATCH] = REASON_DATE,
    [YEAR_MATCH] = REASON_DATE,        [LONG_PWD_MATCH] = REASON_OTHER,
};

const char *password_strength_word(enum password_strength strength)
{
    static const char *const words[] = {
        [STRENGTH_WEAK] = "weak",
        [STRENGTH_FAIR] = "fair",
        [STRENGTH_GOOD] = "good",
        [STRENGTH_STRONG] = "strong",
    };
    return words[strength];
}

/* ---- the form ---- */

static bool has_form(const struct config *config, struct text password,
                     char sentence[PASSWORD_SENTENCE_MAX])
{
    bool fits = false;
    if (password.len > PASSWORD_BYTES_MAX) {
        (void)snprintf(sentence, PASSWORD_SENTENCE_MAX,
                       "It is too long: at most %d bytes. Choose a shorter one.",
                       PASSWORD_BYTES_MAX);
    } else if (!text_is_utf8(password) || text_has_byte(password, '\0')) {
        (void)snprintf(sentence, PASSWORD_SENTENCE_MAX,
                       "It holds bytes that are no text (UTF-8). Type it by hand.");
    } else if (text_count_characters(password) < config->password.min_length) {
        (void)snprintf(sentence, PASSWORD_SENTENCE_MAX,
                       "It is too short: at least %llu characters. %s",
                       (unsigned long long)config->password.min_length, advice);
    } else {
        fits = true;
    }
    return fits;
}

/* ---- what everybody knows ---- */

static bool begins_with(struct text whole, struct text word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (text_lower(whole.data[i]) != text_lower(word.data[i])) {
            return false;
        }
    }
    return true;
}

static bool holds(struct text password, struct text word)
{
    for (size_t i = 0; i + word.len <= password.len; i++) {
        if (begins_with(text_from(password, i), word)) {
            return true;
        }
    }
    return false;
}

/* The characters, not the bytes, from the last to the first. */
static struct text reverse(struct text word, char room[NAME_BYTES_MAX])
{
    size_t start = word.len;
    for (struct text rest = word; rest.len > 0;) {
        size_t len = text_utf8_len(rest);
        len = len > 0 ? len : 1;
        start -= len;
        memcpy(room + start, rest.data, len);
        rest = text_from(rest, len);
    }
    return (struct text){room, word.len};
}

static struct text leave_out_blanks(struct text word, char room[NAME_BYTES_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] != ' ') {
            room[len++] = word.data[i];
        }
    }
    return (struct text){room, len};
}

static bool holds_either_way(struct text password, struct text word)
{
    char room[NAME_BYTES_MAX];
    return text_count_characters(word) >= NAME_CHARACTERS_MIN &&
           (holds(password, word) || holds(password, reverse(word, room)));
}

static bool holds_name(struct text password, const char *string)
{
    char room[NAME_BYTES_MAX];
    struct text name = text_of(string);
    return name.len <= NAME_BYTES_MAX && (holds_either_way(password, name) ||
                                          holds_either_way(password, leave_out_blanks(name, room)));
}

/* What of the account is in the password, or NULL. */
static const char *find_name(const struct config *config, struct text password,
                             const struct user *user)
{
    if (user != NULL && holds_name(password, user->name)) {
        return "It contains your user name.";
    }
    if (user != NULL && holds_name(password, user->display)) {
        return "It contains your name.";
    }
    return holds_name(password, config->site.name) ? "It contains the name of this site." : NULL;
}

/* ---- how soon it is guessed ---- */

/* Words for zxcvbn: single names, in lower case, and after them the common ones. */
struct dictionary {
    char names[NAMES_MAX][NAME_BYTES_MAX + 1];
    const char *words[NAMES_MAX + COMMON_COUNT + 1]; /* NULL after the last */
    size_t count;
};

static void add_names(struct dictionary *dictionary, const char *string)
{
    struct text rest = text_of(string);
    while (rest.len > 0 && dictionary->count < NAMES_MAX) {
        struct text name = text_cut(&rest, ' ');
        char *copy = dictionary->names[dictionary->count];
        if (name.len > NAME_BYTES_MAX || text_count_characters(name) < NAME_CHARACTERS_MIN) {
            continue;
        }
        for (size_t i = 0; i < name.len; i++) {
            copy[i] = text_lower(name.data[i]);
        }
        copy[name.len] = '\0';
        dictionary->words[dictionary->count++] = copy;
    }
}

static void fill(struct dictionary *dictionary, const struct config *config,
                 const struct user *user)
{
    *dictionary = (struct dictionary){0};
    if (user != NULL) {
        add_names(dictionary, user->name);
        add_names(dictionary, user->display);
    }
    add_names(dictionary, config->site.name);
    for (size_t i = 0; i < COMMON_COUNT; i++) {
        dictionary->words[dictionary->count++] = common[i];
    }
}

static enum reason reason_of(const ZxcMatch_t *match)
{
    unsigned type = (unsigned)match->Type;
    if ((type & MULTIPLE_MATCH) != 0) {
        return REASON_REPEAT;
    }
    return type < sizeof reason_of_match / sizeof reason_of_match[0] ? reason_of_match[type]
                                                                     : REASON_OTHER;
}

/* Why it is guessed soon: what explains most of its bytes. */
static const char *explain(const ZxcMatch_t *matches)
{
    int bytes[REASONS] = {0};
    size_t most = 0;
    if (matches != NULL && matches->Next == NULL && reason_of(matches) == REASON_WORDS) {
        return "This is one of the passwords that are tried first.";
    }
    for (const ZxcMatch_t *match = matches; match != NULL; match = match->Next) {
        bytes[reason_of(match)] += match->Length;
    }
    for (size_t i = 1; i < REASONS; i++) {
        most = bytes[i] > bytes[most] ? i : most;
    }
    return sentences[most];
}

/* Whether fewer than DIFFERENT_MIN characters (code points of UTF-8) make up all of it. */
static bool is_monotonous(struct text password)
{
    struct text met[DIFFERENT_MIN];
    size_t count = 0;
    while (password.len > 0 && count < DIFFERENT_MIN) {
        struct text character = {password.data, text_utf8_len(password)};
        size_t i = 0;
        while (i < count && !text_equal(met[i], character)) {
            i++;
        }
        if (i == count) {
            met[count++] = character;
        }
        password = text_from(password, character.len);
    }
    return count < DIFFERENT_MIN;
}

/* Whether most of the bytes that are measured belong to characters beyond ASCII. */
static bool is_mostly_foreign(struct text password)
{
    size_t len = password.len < LOOK_BYTES ? password.len : LOOK_BYTES;
    size_t foreign = 0;
    /* cppcheck-suppress knownConditionTrueFalse ; the text that is_monotonous used up is a copy */
    for (size_t i = 0; i < len; i++) {
        foreign += (unsigned char)password.data[i] >= 0x80 ? 1 : 0;
    }
    return foreign > len / 2;
}

static enum password_strength judge(struct text password, double bits)
{
    if (bits < BITS_GOOD || is_mostly_foreign(password)) {
        return STRENGTH_FAIR;
    }
    return bits >= BITS_STRONG ? STRENGTH_STRONG : STRENGTH_GOOD;
}

/* How many bits it takes to guess the password, and why it takes no more. */
static double measure(const struct config *config, struct text password, const struct user *user,
                      const char **why)
{
    char head[LOOK_BYTES + 1];
    struct dictionary dictionary;
    ZxcMatch_t *matches = NULL;
    size_t len = password.len < LOOK_BYTES ? password.len : LOOK_BYTES;
    memcpy(head, text_bytes(password), len);
    head[len] = '\0';
    fill(&dictionary, config, user);
    double bits = ZxcvbnMatch(head, dictionary.words, &matches);
    *why = explain(matches);
    ZxcvbnFreeInfo(matches);
    secret_wipe(head, sizeof head);
    return bits;
}

enum verdict password_rules_check(const struct config *config, struct text password,
                                  const struct user *user, enum password_strength *strength,
                                  char sentence[PASSWORD_SENTENCE_MAX])
{
    *strength = STRENGTH_WEAK;
    sentence[0] = '\0';
    if (!has_form(config, password, sentence)) {
        return DENY;
    }
    double bits = 0;
    const char *why =
        is_monotonous(password) ? sentences[REASON_REPEAT] : find_name(config, password, user);
    if (why == NULL) {
        bits = measure(config, password, user, &why);
    }
    if (bits >= BITS_MIN) {
        *strength = judge(password, bits);
        return ALLOW;
    }
    (void)snprintf(sentence, PASSWORD_SENTENCE_MAX, "%s %s", why, advice);
    return DENY;
}
