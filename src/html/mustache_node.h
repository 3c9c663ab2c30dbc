/* The parsed form of a template, shared by mustache_parse.c, which makes it, and mustache_render.c,
 * which walks it. Nobody else includes this. */
#ifndef LATCHKEY_HTML_MUSTACHE_NODE_H
#define LATCHKEY_HTML_MUSTACHE_NODE_H

#include "html/mustache.h"

enum node_kind {
    NODE_LITERAL,   /* text that goes out as it is */
    NODE_VARIABLE,  /* escaped */
    NODE_UNESCAPED, /* as the model has it */
    NODE_SECTION,
    NODE_INVERTED,
    NODE_PARTIAL,
};

struct node {
    enum node_kind kind;
    struct text text;   /* the literal, or the name; borrowed from the template's source */
    struct text indent; /* NODE_PARTIAL on a line of its own: the white space before it */
    bool own_line;      /* NODE_PARTIAL: it stands alone on its line */
    bool starts_line;   /* NODE_LITERAL: its first byte is the first of a line; it may be empty */
    size_t at;          /* where in the source it begins, for messages */
    size_t end;         /* sections: the index after the last node of the body */
};

/* Nodes stand in the order of the source; the body of a section follows the section's node. */
struct mustache {
    char *source;
    struct node *nodes;
    size_t count;
    size_t room;
};

/* Adds a node at the end. ERR_MEMORY: nothing was added. */
MUST_USE enum status mustache_add_node(struct mustache *mustache, struct node node);

#endif
