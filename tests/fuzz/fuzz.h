/* What fuzz targets share. A target is one function, fuzz_one; fuzz.c hands it to libFuzzer, and
 * replay.c gives it the inputs that are kept. */
#ifndef LATCHKEY_TESTS_FUZZ_H
#define LATCHKEY_TESTS_FUZZ_H

#include "base/buffer.h"

/* The target: lets the product read the input, and ends the process (fuzz_require) when it does not
 * keep what it promises. Whether the product accepted what the input stands for. */
bool fuzz_one(struct text input);

/* libFuzzer's name for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process with the promise that was broken unless `holds`. */
void fuzz_require(bool holds, const char *promise);

/* The next byte of the input, cut off its front; 0 when nothing is left. */
uint8_t fuzz_take_byte(struct text *rest);

/* So many bytes as the next byte says, or all that are left. */
struct text fuzz_take_piece(struct text *rest);

/* `bytes` bytes, or all that are left. */
struct text fuzz_take(struct text *rest, size_t bytes);

/* The piece before a line of its own that holds `mark` and nothing else; without one, all. */
struct text fuzz_take_part(struct text *rest, const char *mark);

/* Whether the text stands in the other. */
bool fuzz_has(struct text whole, struct text part);

/* A fixed secret for an installation in the scratch folder, so that tokens are the same in each
 * process. Writes the file <folder>/<name>, mode 0600, and gives its path. */
const char *fuzz_write_secret(const char *name);

/* Reads a message of the form "name:line: words", where lines are counted from 1 to `lines`: it
 * must be one line of UTF-8 that no terminal takes for orders. Ends the process otherwise. */
void fuzz_check_place(const char *message, const char *name, size_t lines);

/* Lines of a text, at least 1. */
size_t fuzz_count_lines(struct text text);

#endif
