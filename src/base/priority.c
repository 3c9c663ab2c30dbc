/* Standing behind others.
 *
 * A password hash keeps a processor busy for tens of milliseconds; a check needs one for some
 * hundredths of a millisecond, and whoever waits for it sees a page late. The scheduler cannot know
 * which is which before it is told. A nice value tells it, of the process alone and for all its
 * life: the checks and the web server are let in at once, and the hashes share what they leave.
 *
 * Not SCHED_IDLE: under checks that fill every processor nobody could sign in any more. */
#define _DEFAULT_SOURCE /* nice */
#include "base/priority.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

void priority_lower(void)
{
    errno = 0; /* -1 may be a nice value as well */
    if (nice(PRIORITY_STEPS) == -1 && errno != 0) {
        log_warning("the priority cannot be lowered: %s; a flood of sign-ins will delay checks",
                    strerror(errno));
    }
}
