/* Freed twice when the second piece cannot be had, and by another function than the first time. */
#include <stdlib.h>

int hold_both(size_t len);

static int hold_second(char *first, size_t len)
{
    char *second = malloc(len);
    if (second == NULL) {
        free(first);
        return -1;
    }
    free(second);
    return 0;
}

int hold_both(size_t len)
{
    char *first = malloc(len);
    int result = first == NULL ? -1 : hold_second(first, len);
    free(first);
    return result;
}
