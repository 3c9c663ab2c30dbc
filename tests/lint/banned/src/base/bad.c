/* Functions that write without knowing the room, or read without telling of a failure. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int banned(char *out, char *in)
{
    strcpy(out, in);                 /* bad */
    strcat(out, in);                 /* bad */
    strncpy(out, in, 4);             /* bad */
    sprintf(out, "%s", in);          /* bad */
    snprintf(out, 4, "%s", in);      /* strcpy(out, in) is not meant here */
    char *word = strtok(in, " ");    /* bad */
    char *room = alloca(4);          /* bad */
    return atoi(word) + system(room); /* bad */
}
