/* Rows on standard output. That they cannot be written shows when standard output is flushed, at
 * the end of the command. */
#include "cli/listing.h"

#include <stdio.h>

#include "base/log.h"

struct listing listing_init(const struct options *options)
{
    return (struct listing){.json = (options->given & OPTION_JSON) != 0};
}

bool listing_add_json(struct listing *listing, struct buffer *object)
{
    if (object->failed) {
        listing->failed = true;
    } else {
        (void)printf("%s  %s", listing->count == 0 ? "[\n" : ",\n", object->data);
        listing->count++;
    }
    buffer_clear(object);
    return !listing->failed;
}

bool listing_add_row(struct listing *listing)
{
    return listing->count++ == 0;
}

const char *listing_dash(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

enum status listing_close(const struct listing *listing, const char *sentence)
{
    if (listing->failed) {
        log_error("not enough memory for the list");
        return ERR_MEMORY;
    }
    if (listing->json) {
        (void)puts(listing->count == 0 ? "[]" : "\n]");
    } else if (listing->count == 0) {
        (void)puts(sentence);
    }
    return OK;
}
