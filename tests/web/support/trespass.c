/* Somebody who has taken a program over: preloaded, it does on SIGUSR2 what the shared page says,
 * in the middle of the process, and writes down what came of it.
 *
 * The page is the file that LATCHKEY_TEST_TRESPASS names: "DEED ARGUMENT" as text from its begin,
 * and from byte 4,096 on "RESULT ERRNO", which is empty until the deed is done. It is mapped when
 * the program starts, as what is open by then is out of reach of what confines processes later. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "original.h"

#define HALF 4096
#define GIB  ((size_t)1 << 30)

static char *page;
static sqlite3 *database; /* the one of users, when it was last opened */

static long connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    return connect(STDIN_FILENO, (const struct sockaddr *)&to, sizeof to);
}

static long run_sql(const char *sql)
{
    return database == NULL ? -1 : sqlite3_exec(database, sql, NULL, NULL, NULL);
}

static long act(const char *deed, const char *argument)
{
    char *const arguments[] = {(char *)(uintptr_t)argument, NULL};
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    const int runnable = PROT_READ | PROT_WRITE | PROT_EXEC;
    if (strcmp(deed, "exec") == 0) {
        return execve(argument, arguments, arguments + 1);
    } else if (strcmp(deed, "fork") == 0) {
        return fork();
    } else if (strcmp(deed, "inet") == 0) {
        return socket(AF_INET, SOCK_STREAM, 0);
    } else if (strcmp(deed, "stream") == 0) {
        return socket(AF_UNIX, SOCK_STREAM, 0);
    } else if (strcmp(deed, "connect") == 0) {
        return connect_to(argument);
    } else if (strcmp(deed, "read") == 0) {
        return open(argument, O_RDONLY);
    } else if (strcmp(deed, "make") == 0) {
        return open(argument, O_WRONLY | O_CREAT, 0600);
    } else if (strcmp(deed, "folder") == 0) {
        return mkdir(argument, 0700);
    } else if (strcmp(deed, "map") == 0) {
        return mmap(NULL, HALF, runnable, flags, -1, 0) == MAP_FAILED ? -1 : 0;
    } else if (strcmp(deed, "memory") == 0) {
        return mmap(NULL, GIB, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED ? -1 : 0;
    } else if (strcmp(deed, "protect") == 0) {
        void *memory = mmap(NULL, HALF, PROT_READ | PROT_WRITE, flags, -1, 0);
        return mprotect(memory, HALF, PROT_READ | PROT_EXEC);
    } else if (strcmp(deed, "trace") == 0) {
        return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
    } else if (strcmp(deed, "signal") == 0) {
        return kill(getppid(), SIGCONT);
    } else if (strcmp(deed, "set-id") == 0) {
        return open(argument, O_WRONLY | O_CREAT, 04700);
    } else if (strcmp(deed, "lend") == 0) { /* what others could run as us */
        return fchmod(open(argument, O_WRONLY | O_CREAT, 0600), 04755);
    } else if (strcmp(deed, "open-up") == 0) {
        return fchmod(open(argument, O_RDONLY | O_DIRECTORY), 0777);
    } else if (strcmp(deed, "own") == 0) { /* signals by way of input */
        return fcntl(STDIN_FILENO, F_SETOWN, getppid());
    } else if (strcmp(deed, "async") == 0) {
        return fcntl(STDIN_FILENO, F_SETFL, O_ASYNC);
    } else if (strcmp(deed, "sql") == 0) {
        return run_sql(argument);
    }
    errno = ENOSYS;
    return -2;
}

static void trespass(int number)
{
    char deed[16] = "";
    char argument[512] = "";
    (void)number;
    if (sscanf(page, "%15s %511[^\n]", deed, argument) < 1) {
        abort();
    }
    errno = 0;
    long result = act(deed, argument);
    (void)snprintf(page + HALF, HALF, "%ld %d", result, errno);
}

__attribute__((constructor)) static void prepare(void)
{
    const char *path = getenv("LATCHKEY_TEST_TRESPASS");
    int file = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *mapped =
        file >= 0 ? mmap(NULL, 2 * HALF, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    if (mapped == MAP_FAILED || signal(SIGUSR2, trespass) == SIG_ERR) {
        abort();
    }
    page = mapped;
    (void)close(file);
}

int sqlite3_open_v2(const char *name, sqlite3 **out, int flags, const char *vfs)
{
    int code = ORIGINAL(sqlite3_open_v2)(name, out, flags, vfs);
    if (code == SQLITE_OK && strstr(name, "latchkey.db") != NULL) {
        database = *out;
    }
    return code;
}

int sqlite3_close(sqlite3 *handle)
{
    if (handle == database) {
        database = NULL;
    }
    return ORIGINAL(sqlite3_close)(handle);
}
