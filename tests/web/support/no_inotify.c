/* A kernel that watches no files, for programs that are started with this preloaded: as where the
 * user's inotify instances (fs.inotify.max_user_instances) are used up. */
#include <errno.h>
#include <sys/inotify.h>

int inotify_init1(int flags)
{
    (void)flags;
    errno = EMFILE;
    return -1;
}
