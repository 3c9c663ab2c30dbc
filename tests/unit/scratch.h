/* A folder of its own for a test program, gone when the program ends. */
#ifndef LATCHKEY_TESTS_SCRATCH_H
#define LATCHKEY_TESTS_SCRATCH_H

/* The folder's path; made at the first call with mode 0700. */
const char *scratch_folder(void);

/* <folder>/<name>; one of eight strings used in turn. */
const char *scratch_path(const char *name);

/* Writes `content` to <folder>/<name> with mode 0600 and returns the path as above. */
const char *scratch_write(const char *name, const char *content);

#endif
