/* Preloaded: a program cannot lower its limits, as where core files go to a program whatever the
 * limit says. */
#include <sys/resource.h>

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limits);

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limits)
{
    (void)resource;
    (void)limits;
    return 0;
}
