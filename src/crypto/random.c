/* Random bytes from the kernel.
 *
 * getrandom(2) waits until the kernel's generator was seeded once after boot and never gives bytes
 * of a lesser kind; there is no fallback to anything else. Long runs may come in pieces, and
 * signals may cut one short, so it is asked again until all are there. */
#include "crypto/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/secret.h"

enum status random_fill(void *out, size_t len)
{
    unsigned char *bytes = out;
    size_t have = 0;
    while (have < len) {
        ssize_t got = getrandom(bytes + have, len - have, 0);
        if (got > 0) {
            have += (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            log_error("the kernel gives no random bytes: %s; is getrandom(2) allowed here?",
                      got == 0 ? "none came" : strerror(errno));
            secret_wipe(out, len);
            return ERR_CRYPTO;
        }
    }
    return OK;
}
