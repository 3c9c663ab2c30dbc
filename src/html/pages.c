/* The set of page templates.
 *
 * The built-in files come first; then each file of the operator's folder takes the place of the
 * built-in one of its name. A template that is not built in counts only when another one brings it
 * in as a partial, so that a misspelt replacement is found at start and not when a visitor sees the
 * old page. Hidden files and the copies that editors leave ("login.mustache~") are passed over.
 *
 * After pages_open nothing is left that rendering could stumble over except memory and the output's
 * limit: every partial exists, and no partial leads back to itself. The folder is the operator's;
 * templates are not confined in what they print of their model. */
#include "html/pages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/file.h"
#include "base/log.h"

#define SUFFIX    TEXT(".mustache")
#define PATH_LEN  4096
#define FAULT_MAX 384 /* a message without its folder; MUSTACHE_ERROR_MAX at least */

/* Of the walk along partials: on the way that is being walked, or walked to its end. */
enum mark { MARK_NONE, MARK_ON_WAY, MARK_DONE };

struct page {
    char *name;                /* of the file, as "login.mustache" */
    struct text content;       /* built in, or that of `file` */
    struct buffer file;        /* what the folder holds under this name */
    struct mustache *template; /* NULL for a plain file */
    bool is_built_in;          /* there is a built-in file of this name */
    bool is_replaced;          /* the folder has one */
    bool is_used;              /* some other template brings it in */
    enum mark mark;
};

struct pages {
    struct page *items;
    size_t count;
};

struct opening {
    struct pages *pages;
    const char *folder;
    char *error;
};

/* Plain files may come from the folder even where there is no built-in one. */
static const char *const assets[] = {"style.css", "script.js", NULL};

static bool is_asset(const char *name)
{
    for (size_t i = 0; assets[i] != NULL; i++) {
        if (strcmp(name, assets[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_suffix(struct text text, struct text suffix)
{
    return text.len >= suffix.len &&
           text_equal((struct text){text.data + text.len - suffix.len, suffix.len}, suffix);
}

static bool is_template(const char *name)
{
    struct text text = text_of(name);
    return text.len > SUFFIX.len && has_suffix(text, SUFFIX);
}

static bool is_passed_over(const char *name)
{
    return name[0] == '.' || has_suffix(text_of(name), TEXT("~"));
}

static struct page *find_page(const struct pages *pages, const char *name)
{
    for (size_t i = 0; i < pages->count; i++) {
        if (strcmp(pages->items[i].name, name) == 0) {
            return &pages->items[i];
        }
    }
    return NULL;
}

/* By the name without its suffix, as pages and partials are called. */
static struct page *find_template(const struct pages *pages, struct text name)
{
    for (size_t i = 0; i < pages->count; i++) {
        struct text file = text_of(pages->items[i].name);
        if (file.len == name.len + SUFFIX.len && text_has_prefix(file, name) &&
            is_template(file.data)) {
            return &pages->items[i];
        }
    }
    return NULL;
}

static enum status add_page(struct pages *pages, const char *name, struct page **out)
{
    struct page *items = realloc(pages->items, (pages->count + 1) * sizeof *items);
    if (items == NULL) {
        return ERR_MEMORY;
    }
    pages->items = items;
    struct page page = {.name = strdup(name)};
    if (page.name == NULL) {
        return ERR_MEMORY;
    }
    buffer_init(&page.file, PAGE_BYTES_MAX);
    *out = &items[pages->count++];
    **out = page;
    return OK;
}

static enum status add_built_in(struct pages *pages)
{
    for (const struct embedded_file *file = embedded_templates; file->name != NULL; file++) {
        if (!is_template(file->name) && !is_asset(file->name)) {
            continue;
        }
        struct page *page = NULL;
        enum status status = add_page(pages, file->name, &page);
        if (status != OK) {
            return status;
        }
        page->content = file->content;
        page->is_built_in = true;
    }
    return OK;
}

/* The name nearest to `word` among those that a file of the folder may have, or NULL. */
static const char *find_nearest(const struct pages *pages, const char *word)
{
    const char **names = calloc(pages->count + sizeof assets / sizeof *assets, sizeof *names);
    if (names == NULL) {
        return NULL;
    }
    size_t count = 0;
    for (size_t i = 0; assets[i] != NULL; i++) {
        names[count++] = assets[i];
    }
    for (size_t i = 0; i < pages->count; i++) {
        if (pages->items[i].is_built_in && !is_asset(pages->items[i].name)) {
            names[count++] = pages->items[i].name;
        }
    }
    const char *nearest = text_nearest(word, names);
    free(names);
    return nearest;
}

static enum status refuse_unused(const struct opening *opening, const char *name)
{
    const char *nearest = find_nearest(opening->pages, name);
    if (nearest != NULL) {
        (void)snprintf(opening->error, PAGES_ERROR_MAX,
                       "%.200s/%.200s: no page uses a file of this name; did you mean %s?",
                       opening->folder, name, nearest);
    } else {
        (void)snprintf(opening->error, PAGES_ERROR_MAX,
                       "%.200s/%.200s: no page uses a file of this name; remove it from the folder",
                       opening->folder, name);
    }
    return ERR_INPUT;
}

/* Follows file_read at once: errno has the cause. */
static enum status refuse_file(const struct opening *opening, const char *name, enum status status)
{
    const char *why = status == ERR_SYSTEM ? strerror(errno) : status_text(status);
    if (status == ERR_TOO_LARGE) {
        (void)snprintf(opening->error, PAGES_ERROR_MAX, "%.200s/%.200s: larger than %zu bytes",
                       opening->folder, name, PAGE_BYTES_MAX);
        return ERR_INPUT;
    }
    (void)snprintf(opening->error, PAGES_ERROR_MAX, "%.200s/%.200s: cannot be read: %s",
                   opening->folder, name, why);
    return status == ERR_MEMORY ? ERR_MEMORY : ERR_SYSTEM;
}

static enum status read_entry(const struct opening *opening, const char *name)
{
    if (!is_template(name) && !is_asset(name)) {
        return refuse_unused(opening, name);
    }
    char path[PATH_LEN];
    int len = snprintf(path, sizeof path, "%s/%s", opening->folder, name);
    if (len < 0 || (size_t)len >= sizeof path) {
        errno = ENAMETOOLONG;
        return refuse_file(opening, name, ERR_SYSTEM);
    }
    struct page *page = find_page(opening->pages, name);
    enum status status = page != NULL ? OK : add_page(opening->pages, name, &page);
    if (status == OK) {
        status = file_read(path, &page->file);
    }
    if (status != OK) {
        return refuse_file(opening, name, status);
    }
    page->content = buffer_text(&page->file);
    page->is_replaced = true;
    if (!text_is_utf8(page->content)) {
        (void)snprintf(opening->error, PAGES_ERROR_MAX, "%.200s/%.200s: the file is not UTF-8",
                       opening->folder, name);
        return ERR_INPUT;
    }
    return OK;
}

static enum status read_folder(const struct opening *opening)
{
    DIR *folder = opendir(opening->folder);
    int cause = errno;
    enum status status = OK;
    while (folder != NULL && status == OK) {
        errno = 0;
        /* cppcheck-suppress readdirCalled ; no program here has threads */
        const struct dirent *entry = readdir(folder);
        cause = errno;
        if (entry == NULL) {
            break;
        }
        if (!is_passed_over(entry->d_name)) {
            status = read_entry(opening, entry->d_name);
        }
    }
    bool is_open = folder != NULL;
    if (is_open) {
        (void)closedir(folder);
    }
    if (status == OK && (!is_open || cause != 0)) {
        (void)snprintf(opening->error, PAGES_ERROR_MAX, "%.200s: the folder cannot be read: %s",
                       opening->folder, strerror(cause));
        return cause == ENOENT || cause == ENOTDIR ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    return status;
}

/* Where a message is about a file of the folder, the folder goes before it. */
static void print_fault(const struct opening *opening, const struct page *page, const char *fault)
{
    if (page->is_replaced) {
        (void)snprintf(opening->error, PAGES_ERROR_MAX, "%.120s/%s", opening->folder, fault);
    } else {
        (void)snprintf(opening->error, PAGES_ERROR_MAX, "%s", fault);
    }
}

static enum status parse_all(const struct opening *opening)
{
    for (size_t i = 0; i < opening->pages->count; i++) {
        struct page *page = &opening->pages->items[i];
        char fault[MUSTACHE_ERROR_MAX];
        if (is_asset(page->name)) {
            continue;
        }
        enum status status = mustache_parse(page->name, page->content, &page->template, fault);
        if (status != OK) {
            print_fault(opening, page, fault);
            return status;
        }
        buffer_clear(&page->file); /* the template has a copy */
        page->content = (struct text){0};
    }
    return OK;
}

static enum status refuse_partial(const struct opening *opening, const struct page *page,
                                  struct text name, size_t line)
{
    char file[128];
    char fault[FAULT_MAX];
    (void)snprintf(file, sizeof file, "%.*s%s", (int)(name.len < 100 ? name.len : 100), name.data,
                   SUFFIX.data);
    const char *nearest = find_nearest(opening->pages, file);
    (void)snprintf(fault, sizeof fault, "%.100s:%zu: there is no %s for this partial%s%.100s%s",
                   page->name, line, file, nearest != NULL ? "; did you mean " : "",
                   nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    print_fault(opening, page, fault);
    return ERR_INPUT;
}

/* Follows the partials of a page, depth first, each file once.
 * NOLINTNEXTLINE(misc-no-recursion): as deep as the administrator's folder has files, at most. */
static enum status check_partials(const struct opening *opening, struct page *page)
{
    size_t cursor = 0;
    size_t line = 0;
    struct text name;
    page->mark = MARK_ON_WAY;
    while (mustache_next_partial(page->template, &cursor, &name, &line)) {
        struct page *partial = find_template(opening->pages, name);
        if (partial == NULL) {
            return refuse_partial(opening, page, name, line);
        }
        if (partial->mark == MARK_ON_WAY) {
            char fault[FAULT_MAX];
            (void)snprintf(fault, sizeof fault, "%.100s:%zu: this partial leads back to itself",
                           page->name, line);
            print_fault(opening, page, fault);
            return ERR_INPUT;
        }
        partial->is_used = true;
        enum status status = partial->mark == MARK_DONE ? OK : check_partials(opening, partial);
        if (status != OK) {
            return status;
        }
    }
    page->mark = MARK_DONE;
    return OK;
}

static enum status check_all(const struct opening *opening)
{
    enum status status = OK;
    for (size_t i = 0; i < opening->pages->count && status == OK; i++) {
        struct page *page = &opening->pages->items[i];
        if (page->template != NULL && page->mark == MARK_NONE) {
            status = check_partials(opening, page);
        }
    }
    for (size_t i = 0; i < opening->pages->count && status == OK; i++) {
        const struct page *page = &opening->pages->items[i];
        if (!page->is_built_in && !page->is_used && !is_asset(page->name)) {
            status = refuse_unused(opening, page->name);
        }
    }
    return status;
}

enum status pages_open(const char *folder, struct pages **out, char error[PAGES_ERROR_MAX])
{
    struct pages *pages = calloc(1, sizeof *pages);
    struct opening opening = {pages, folder, error};
    error[0] = '\0';
    *out = NULL;
    enum status status = pages != NULL ? add_built_in(pages) : ERR_MEMORY;
    if (status == OK && folder != NULL && folder[0] != '\0') {
        status = read_folder(&opening);
    }
    if (status == OK) {
        status = parse_all(&opening);
    }
    if (status == OK) {
        status = check_all(&opening);
    }
    if (status == OK) {
        *out = pages;
        return OK;
    }
    if (status == ERR_MEMORY) {
        (void)snprintf(error, PAGES_ERROR_MAX, "the templates do not fit into memory");
    }
    pages_free(&pages);
    return status;
}

void pages_free(struct pages **pages)
{
    if (*pages == NULL) {
        return;
    }
    for (size_t i = 0; i < (*pages)->count; i++) {
        struct page *page = &(*pages)->items[i];
        mustache_free(&page->template);
        buffer_clear(&page->file);
        free(page->name);
    }
    free((*pages)->items);
    free(*pages);
    *pages = NULL;
}

/* A mustache_find over the set. */
static const struct mustache *find_partial(void *context, struct text name)
{
    const struct page *page = find_template(context, name);
    return page != NULL ? page->template : NULL;
}

enum status pages_render(const struct pages *pages, const char *name, const struct value *model,
                         struct buffer *out)
{
    const struct page *page = find_template(pages, text_of(name));
    struct pages set = *pages;
    enum status status = ERR_NOT_FOUND;
    if (page != NULL) {
        status = mustache_render(page->template, model, find_partial, &set, out);
    }
    if (status != OK) {
        log_error("the page %s cannot be rendered: %s", name, status_text(status));
    }
    return status;
}

struct text pages_get_asset(const struct pages *pages, const char *name)
{
    const struct page *page = is_asset(name) ? find_page(pages, name) : NULL;
    return page != NULL ? page->content : (struct text){0};
}
