/* Catches what the code under test writes to standard error, write by write. */
#ifndef LATCHKEY_TESTS_CAPTURE_H
#define LATCHKEY_TESTS_CAPTURE_H

/* From here on standard error is caught, until capture_end puts it back. */
void capture_start(void);
void capture_end(void);

/* What the next write call wrote, or "" when there was none; valid until the next call. */
const char *capture_next(void);

#endif
