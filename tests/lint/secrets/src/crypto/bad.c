/* Comparisons that tell how far they came, and a wiping that a compiler may leave out.
 * Words such as memcmp(a, b) in a comment are not meant, nor "strcmp(a, b)" in a text. */
#include <string.h>

int compare(char *given, const char *wanted, size_t len)
{
    const char *note = "strcmp(a, b)";
    int difference = memcmp(given, wanted, len); /* bad */
    difference |= strcmp(given, wanted);         /* bad */
    difference |= strncmp(given, wanted, len);   /* bad */
    difference |= strlen(given) != len;          /* bad */
    char copy[4] = {*given};
    memset(copy, 0, sizeof copy); /* bad */
    memset(given, 0, len);
    return difference | (note == NULL);
}
