/* Values of a configuration: from text into struct config, and what may be written there. */
#ifndef LATCHKEY_BASE_CONFIG_VALUE_H
#define LATCHKEY_BASE_CONFIG_VALUE_H

#include "base/config_key.h"

/* "18446744073709551615" fits. */
#define CONFIG_NUMBER_TEXT_MAX 24

/* Reads `value` into the key's member of `config`, which gives back what it owned before.
 * ERR_INPUT: *culprit is the part of `value` that is wrong; ERR_MEMORY. The member is untouched
 * then. */
enum status config_value_set(const struct config_key *key, struct text value, struct config *config,
                             struct text *culprit) MUST_USE;

/* Puts the key's default into `config`, with the same failures. */
enum status config_value_set_default(const struct config_key *key, struct config *config) MUST_USE;

/* Frees what the key's member owns. */
void config_value_clear(const struct config_key *key, struct config *config);

/* What may be written, as "a duration from 1s to 90d, as 90s, 30m, 12h or 30d"; cut at `size`. */
void config_value_print_form(const struct config_key *key, char *out, size_t size);

/* A number, size or duration as a file would have it, in the largest unit that leaves nothing over:
 * 90, 64K, 15m. */
void config_value_print_number(enum config_type type, uint64_t number,
                               char out[CONFIG_NUMBER_TEXT_MAX]);

#endif
