/* Writes wrong passwords as the programs do: each pair of arguments is a user and an address. What
 * goes to the system's log comes on standard output instead, a line each. */
#include <stdio.h>
#include <sys/socket.h>

#include "base/log.h"

ssize_t sendto(int descriptor, const void *bytes, size_t len, int flags,
               const struct sockaddr *address, socklen_t address_len)
{
    (void)descriptor;
    (void)flags;
    (void)address;
    (void)address_len;
    (void)fwrite(bytes, 1, len, stdout);
    (void)putchar('\n');
    return (ssize_t)len;
}

int main(int argc, char **argv)
{
    log_open("login", LOG_LEVEL_WARNING);
    for (int i = 1; i + 1 < argc; i += 2) {
        log_authentication_failure(text_of(argv[i]), text_of(argv[i + 1]));
    }
    return 0;
}
