/* Rows on standard output, once all of them are read. That they cannot be written there shows when
 * standard output is flushed, at the end of the command. */
#include "cli/listing.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

/* Logs what failed for the reason in errno. */
static void complain(const char *what)
{
    log_error("the list cannot be kept in a temporary file, %s: %s; make room in /tmp, and let "
              "this program write there",
              what, strerror(errno));
}

struct listing listing_init(const struct options *options)
{
    struct listing listing = {
        .json = (options->given & OPTION_JSON) != 0,
        .rows = tmpfile(),
    };
    if (listing.rows == NULL) {
        complain("which cannot be made");
    }
    return listing;
}

static void print(struct listing *listing, const char *text)
{
    if (listing->rows != NULL) { /* else listing_close fails */
        (void)fputs(text, listing->rows);
    }
}

bool listing_add_json(struct listing *listing, struct buffer *object)
{
    if (object->failed) {
        listing->failed = true;
    } else {
        print(listing, listing->count == 0 ? "[\n  " : ",\n  ");
        print(listing, object->data);
        listing->count++;
    }
    buffer_clear(object);
    return !listing->failed;
}

/* Without spaces after the last. */
static void print_cell(struct listing *listing, const struct listing_column *column, size_t i,
                       const char *text)
{
    if (listing->rows != NULL) {
        (void)fprintf(listing->rows, "%s%*s", i == 0 ? "" : "  ",
                      column[i + 1].heading != NULL ? column[i].width : 0, text);
    }
}

void listing_add_row(struct listing *listing, const struct listing_column *columns,
                     const char *const *cells)
{
    char clean[LISTING_CELL_MAX + 1];
    if (listing->count++ == 0) {
        for (size_t i = 0; columns[i].heading != NULL; i++) {
            print_cell(listing, columns, i, columns[i].heading);
        }
        print(listing, "\n");
    }
    for (size_t i = 0; columns[i].heading != NULL; i++) {
        text_copy_clean(text_of(cells[i]), clean, sizeof clean);
        print_cell(listing, columns, i, clean);
    }
    print(listing, "\n");
}

const char *listing_dash(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

static enum status copy_rows(struct listing *listing)
{
    char part[4096];
    size_t len = 0;
    if (fseek(listing->rows, 0, SEEK_SET) != 0) {
        complain("which cannot be written");
        return ERR_SYSTEM;
    }
    while ((len = fread(part, 1, sizeof part, listing->rows)) > 0) {
        (void)fwrite(part, 1, len, stdout);
    }
    if (ferror(listing->rows) != 0) {
        complain("which cannot be read, so that rows are missing here");
        return ERR_SYSTEM;
    }
    return OK;
}

static enum status print_all(struct listing *listing, const char *sentence)
{
    if (listing->rows == NULL) {
        return ERR_SYSTEM;
    }
    if (listing->failed) {
        log_error("not enough memory for the list");
        return ERR_MEMORY;
    }
    if (listing->count == 0) {
        (void)puts(listing->json ? "[]" : sentence);
        return OK;
    }
    print(listing, listing->json ? "\n]\n" : "");
    if (ferror(listing->rows) != 0) { /* long ago, and errno says something else by now */
        log_error("the list cannot be kept in a temporary file; make room in /tmp");
        return ERR_SYSTEM;
    }
    return copy_rows(listing);
}

enum status listing_close(struct listing *listing, enum status status, const char *sentence)
{
    if (status == OK) {
        status = print_all(listing, sentence);
    }
    if (listing->rows != NULL) {
        (void)fclose(listing->rows);
        listing->rows = NULL;
    }
    return status;
}
