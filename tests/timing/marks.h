/* Marks of what is secret, for programs that valgrind's memcheck runs. */
#ifndef LATCHKEY_TESTS_MARKS_H
#define LATCHKEY_TESTS_MARKS_H

#include <crypt.h>
#include <stdbool.h>
#include <stddef.h>

#include "crypto/seal.h"

/* Makes memory a secret, and what is computed of it; and makes it known again. */
void hide(const void *secret, size_t len);
void show(const void *secret, size_t len);

/* Whether any bit of up to 64 bytes depends on a secret; without looking at it. */
bool is_hidden(const void *memory, size_t len);

/* How often a jump or an address depended on a secret since the last call of watch. */
void watch(void);
unsigned count_errors(void);

/* secret_is_equal, seal_open and crypt_r as they are: nothing of the result is known. */
bool compare(const void *a, const void *b, size_t len);
enum status open_sealed(const struct seal *seal, struct text sealed, uint8_t *out);
char *hash_crypt(const char *phrase, const char *setting, struct crypt_data *data);

#endif
