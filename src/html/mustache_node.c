/* The list that a parsed template is: it grows, and lies in one piece. */
#include "html/mustache_node.h"

#include <stdint.h>
#include <stdlib.h>

enum status mustache_add_node(struct mustache *mustache, struct node node)
{
    if (mustache->count == mustache->room) {
        size_t room = mustache->room == 0 ? 16 : mustache->room * 2;
        struct node *nodes = NULL;
        if (room <= SIZE_MAX / sizeof *nodes) {
            nodes = realloc(mustache->nodes, room * sizeof *nodes);
        }
        if (nodes == NULL) {
            return ERR_MEMORY;
        }
        mustache->nodes = nodes;
        mustache->room = room;
    }
    mustache->nodes[mustache->count++] = node;
    return OK;
}
