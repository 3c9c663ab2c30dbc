/* Words for browsers.
 *
 * Nearly all browsers say that they are others too: "Chrome" also says Safari, "Edg" also says
 * Chrome and Safari, and a phone says Linux. So the tables are in order: the first word that stands
 * in the header decides, and a word that others borrow stands behind all who borrow it. A word
 * counts where it begins; what is further on than AGENT_LOOK bytes is not looked at.
 *
 * Versions are left out on purpose: people know their devices without, and a list that changes
 * with every update of a browser makes them look twice for nothing.
 *
 * What this does not say: whether any of it is true. Programs that name themselves something else
 * are what they say here, and an iPad that asks for pages as a desk computer does is a Mac. */
#include "http/agent.h"

#include <stdio.h>

#define AGENT_LOOK 512

struct word {
    const char *token, *words;
};

static const struct word tools[] = {
    {"curl/", "curl"},
    {"Wget/", "Wget"},
    {"Wget2/", "Wget"},
    {"HTTPie/", "HTTPie"},
    {"python-requests/", "Python"},
    {"Python-urllib/", "Python"},
    {"Go-http-client/", "Go"},
    {"libwww-perl/", "Perl"},
    {"Lynx/", "Lynx"},
    {"w3m/", "w3m"},
    {"ELinks/", "ELinks"},
    {"Links (", "Links"},
    {NULL, NULL},
};

static const struct word browsers[] = {
    {"EdgA/", "Edge"},
    {"EdgiOS/", "Edge"},
    {"Edg/", "Edge"},
    {"Edge/", "Edge"},
    {"OPR/", "Opera"},
    {"OPT/", "Opera"},
    {"OPX/", "Opera"},
    {"OPiOS/", "Opera"},
    {"Opera", "Opera"},
    {"SamsungBrowser/", "Samsung Internet"},
    {"Vivaldi/", "Vivaldi"},
    {"YaBrowser/", "Yandex Browser"},
    {"DuckDuckGo/", "DuckDuckGo"},
    {"Ddg/", "DuckDuckGo"},
    {"MiuiBrowser/", "Mi Browser"},
    {"UCBrowser/", "UC Browser"},
    {"HuaweiBrowser/", "Huawei Browser"},
    {"Silk/", "Silk"},
    {"SeaMonkey/", "SeaMonkey"},
    {"PaleMoon/", "Pale Moon"},
    {"Thunderbird/", "Thunderbird"},
    {"FxiOS/", "Firefox"},
    {"Focus/", "Firefox"},
    {"Firefox/", "Firefox"},
    {"Epiphany/", "GNOME Web"},
    {"Falkon/", "Falkon"},
    {"Konqueror/", "Konqueror"},
    {"CriOS/", "Chrome"},
    {"Chromium/", "Chromium"},
    {"HeadlessChrome/", "Chrome"},
    {"Chrome/", "Chrome"},
    {"MSIE ", "Internet Explorer"},
    {"Trident/", "Internet Explorer"},
    /* The one that came with old Androids says Safari; apps that show pages on an iPhone do not. */
    {"Android", "Browser"},
    {"Safari/", "Safari"},
    {"AppleWebKit/", "Browser"},
    {NULL, NULL},
};

static const struct word systems[] = {
    {"Windows Phone", "Windows Phone"},
    {"Windows", "Windows"},
    {"iPad", "iPad"},
    {"iPod", "iPod"},
    {"iPhone", "iPhone"},
    {"Android", "Android"},
    {"CrOS", "ChromeOS"},
    {"Macintosh", "macOS"},
    {"KAIOS", "KaiOS"},
    {"Linux", "Linux"},
    {"FreeBSD", "FreeBSD"},
    {"OpenBSD", "OpenBSD"},
    {"NetBSD", "NetBSD"},
    {NULL, NULL},
};

static bool has_word(struct text whole, struct text token)
{
    for (size_t i = 0; i + token.len <= whole.len; i++) {
        if ((i == 0 || !text_is_alphanumeric(whole.data[i - 1])) &&
            text_has_prefix(text_from(whole, i), token)) {
            return true;
        }
    }
    return false;
}

/* The words of the table's first entry that stands in the text, or NULL. */
static const char *find_words(const struct word *table, struct text whole)
{
    while (table->token != NULL && !has_word(whole, text_of(table->token))) {
        table++;
    }
    return table->words;
}

void agent_describe(struct text user_agent, char out[AGENT_WORDS_MAX])
{
    struct text head = user_agent;
    if (head.len > AGENT_LOOK) {
        head.len = AGENT_LOOK;
    }
    const char *words = find_words(tools, head);
    const char *system = NULL;
    if (words == NULL) {
        words = find_words(browsers, head);
        system = words != NULL ? find_words(systems, head) : NULL;
    }
    (void)snprintf(out, AGENT_WORDS_MAX, "%s%s%s", words != NULL ? words : "Unknown browser",
                   system != NULL ? " on " : "", system != NULL ? system : "");
}
