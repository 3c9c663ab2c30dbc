/* What a new password must be like. No rules of composition and no expiry (NIST SP 800-63B-4
 * §3.1.1.2): it must be long enough, not be guessed among the first, and not contain what everybody
 * knows of this account. */
#ifndef LATCHKEY_AUTH_PASSWORD_RULES_H
#define LATCHKEY_AUTH_PASSWORD_RULES_H

#include "base/config.h"
#include "crypto/password.h"
#include "store/users.h"

#define PASSWORD_SENTENCE_MAX 256

/* How hard to guess, in words for people; static. */
enum password_strength { STRENGTH_WEAK, STRENGTH_FAIR, STRENGTH_GOOD, STRENGTH_STRONG };
const char *password_strength_word(enum password_strength strength);

/* Whether `password` may be the new one of the user, of whom the names are read (NULL: of nobody
 * known): ALLOW with *strength and an empty sentence, or DENY with STRENGTH_WEAK and a sentence
 * that says why and what to do instead, and nothing of the password. The password is looked at as
 * it came; length is counted in code points. Time depends on the password, and is some twelve
 * milliseconds at the most. */
enum verdict password_rules_check(const struct config *config, struct text password,
                                  const struct user *user, enum password_strength *strength,
                                  char sentence[PASSWORD_SENTENCE_MAX]) MUST_USE;

#endif
