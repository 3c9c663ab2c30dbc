/* The User-Agent header, as words for a list of devices, and as it came in the audit log.
 *
 * Promised: a short line of letters and blanks, whatever comes; the same for the same bytes;
 * nothing of the header itself, for the words are ours; what is further on than 512 bytes changes
 * nothing. The header itself is shown only as text_copy_clean leaves it: UTF-8 without anything
 * that steers a terminal or turns the direction of text. */
#include "fuzz.h"

#include <string.h>

#include "http/agent.h"

#define LOOK 512

static void check_words(const char words[AGENT_WORDS_MAX])
{
    size_t len = strnlen(words, AGENT_WORDS_MAX);
    fuzz_require(len > 0 && len < AGENT_WORDS_MAX, "the words end within their room");
    fuzz_require(text_consists_of((struct text){words, len}, " "), "the words are letters");
    fuzz_require(words[0] != ' ' && words[len - 1] != ' ', "the words are whole");
}

/* For inputs that are long enough alone: looking at so many bytes takes most of the time. */
static void check_look(struct text input, const char words[AGENT_WORDS_MAX])
{
    char other[AGENT_WORDS_MAX];
    char longer[LOOK + 32] = "";
    memcpy(longer, input.data, LOOK);
    memcpy(longer + LOOK, "curl/Firefox/Windows", 20);
    agent_describe((struct text){longer, sizeof longer}, other);
    fuzz_require(strcmp(words, other) == 0, "what is further on changes nothing");
}

static void check_clean(struct text input, size_t room)
{
    char clean[600];
    char again[600];
    text_copy_clean(input, clean, room);
    struct text shown = {clean, strnlen(clean, room)};
    fuzz_require(shown.len < room, "a clean text ends within its room");
    fuzz_require(text_is_utf8(shown), "a clean text is UTF-8");
    for (struct text rest = shown; rest.len > 0;) {
        size_t len = text_utf8_len(rest);
        fuzz_require(!text_is_misleading(rest.data, len), "a clean text misleads nobody");
        rest = text_from(rest, len);
    }
    text_copy_clean(shown, again, room);
    fuzz_require(text_is(shown, again), "a clean text stays as it is");
}

bool fuzz_one(struct text input)
{
    char words[AGENT_WORDS_MAX];
    agent_describe(input, words);
    check_words(words);
    if (input.len >= LOOK) {
        check_look(input, words);
    }
    check_clean(input, 1 + input.len % sizeof(char[600]));
    return strcmp(words, "Unknown browser") != 0;
}
