#define _GNU_SOURCE /* dladdr, RTLD_NEXT, program_invocation_short_name */
#include "plan.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct fault_plan *plan;
static char own_name[FAULT_NAME_BYTES];

#define FAULT_NAME(name) #name,
static const char *const names[] = {FAULT_FUNCTIONS(FAULT_NAME)};

/* With plain system calls: the functions of these names are ours. */
__attribute__((constructor)) static void map_plan(void)
{
    const char *path = getenv("LATCHKEY_TEST_FAULTS");
    long file = path != NULL ? syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) {
        return;
    }
    long mapped =
        syscall(SYS_mmap, NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, (int)file, 0L);
    (void)syscall(SYS_close, (int)file);
    if (mapped == -1) {
        abort(); /* a sweep in which nothing fails proves nothing */
    }
    struct fault_plan *found = (struct fault_plan *)mapped; /* NOLINT(performance-no-int-to-ptr) */
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        (void)strncat(memset(found->names[i], 0, FAULT_NAME_BYTES), names[i], FAULT_NAME_BYTES - 1);
    }
    found->function_count = FAULT_COUNT;
    (void)strncat(own_name, program_invocation_short_name, sizeof own_name - 1);
    plan = found;
}

/* The file name of the program or library that an address is in, and where in there. */
static const char *name_object(void *caller, uint64_t *offset)
{
    Dl_info info;
    if (dladdr(caller, &info) == 0 || info.dli_fname == NULL) {
        return "";
    }
    const char *slash = strrchr(info.dli_fname, '/');
    *offset = (uint64_t)((char *)caller - (char *)info.dli_fbase);
    return slash != NULL ? slash + 1 : info.dli_fname;
}

static bool is_excepted(const struct fault_rule *rule, void *caller)
{
    char word[FAULT_NAME_BYTES];
    uint64_t offset = 0;
    if (rule->except[0] == '\0') {
        return false;
    }
    const char *name = name_object(caller, &offset);
    (void)snprintf(word, sizeof word, " %.*s ", (int)strcspn(name, "."), name);
    return strstr(rule->except, word) != NULL;
}

static void note_caller(struct fault_rule *rule, void *caller)
{
    uint64_t offset = 0;
    const char *name = name_object(caller, &offset);
    (void)strncat(memset(rule->object, 0, sizeof rule->object), name, sizeof rule->object - 1);
    rule->offset = offset;
}

struct fault fault_ask(enum fault_function function, void *caller)
{
    struct fault fault = {FAULT_NONE, 0};
    if (plan == NULL || memcmp(plan->program, own_name, sizeof own_name) != 0) {
        return fault;
    }
    plan->counts[function]++;
    for (size_t i = 0; i < FAULT_RULES; i++) {
        struct fault_rule *rule = &plan->rules[i];
        if (rule->armed == 0 || rule->function != function || is_excepted(rule, caller)) {
            continue;
        }
        uint64_t number = ++rule->seen;
        if (number >= rule->nth && number - rule->nth < rule->span) {
            fault = (struct fault){(enum fault_how)rule->how, (int)rule->error};
            if (++rule->injected == 1) {
                note_caller(rule, caller);
            }
        }
    }
    return fault;
}

int64_t fault_passed_s(void)
{
    return plan != NULL ? plan->passed_s : 0;
}

void fault_find(const char *name, void *out)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(out, &found, sizeof found);
}
