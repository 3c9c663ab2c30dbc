/* Packing and unpacking name the fields in the same order. */
#include "session/user_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define TEXTS 4

char *user_texts_pack(const struct user *user)
{
    const char *const texts[TEXTS] = {user->name, user->display, user->email, user->groups};
    size_t room = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        room += text_of(texts[i]).len + 1;
    }
    char *packed = malloc(room);
    size_t at = 0;
    for (size_t i = 0; i < TEXTS && packed != NULL; i++) {
        size_t len = text_of(texts[i]).len + 1;
        memcpy(packed + at, texts[i], len);
        at += len;
    }
    return packed;
}

void user_texts_unpack(const char *packed, struct user *out)
{
    char *const texts[TEXTS] = {out->name, out->display, out->email, out->groups};
    for (size_t i = 0; i < TEXTS; i++) {
        size_t len = text_of(packed).len + 1;
        memcpy(texts[i], packed, len);
        packed += len;
    }
}
