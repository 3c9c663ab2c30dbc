/* Makes the filters of system calls with libseccomp, while the rest of Latchkey is built, and
 * prints them as the source of confine_filters. So the processes that are to be confined need
 * neither the library nor the 100 KB and the millisecond that making a filter takes. */
#include <errno.h>
#include <stdio.h>

#include "confine/filters.h"
#include "confine/rules.h"

#define API_LEVEL 3 /* filters that end processes, for Linux 4.14 and later, wherever this runs */

/* The instructions as the elements of a C array. Whether they are a whole filter, with one stand-in
 * for the own number. */
static bool print_instructions(FILE *program)
{
    struct sock_filter one = {0};
    size_t count = 0;
    size_t stand_ins = 0;
    rewind(program);
    while (fread(&one, sizeof one, 1, program) == 1) {
        (void)printf("    {0x%x, %u, %u, 0x%x},\n", one.code, one.jt, one.jf, one.k);
        count++;
        stand_ins += one.k == CONFINE_OWN_PID;
    }
    return ferror(program) == 0 && count <= CONFINE_INSTRUCTIONS_MAX && stand_ins == 1 &&
           BPF_CLASS(one.code) == BPF_RET;
}

/* Whether the filter was printed. */
static bool print_filter(const struct rules_for *process)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    FILE *program = tmpfile();
    bool done = filter != NULL && program != NULL && rules_add(filter, process) == 0 &&
                seccomp_export_bpf(filter, fileno(program)) == 0;
    if (done) {
        (void)printf("static const struct sock_filter filter_%d%d[] = {\n", process->watches,
                     process->sends_messages);
        done = print_instructions(program);
        (void)printf("};\n");
    }
    if (program != NULL) {
        (void)fclose(program);
    }
    seccomp_release(filter);
    return done;
}

static bool print_filters(bool is_sanitized)
{
    for (int i = 0; i < 4; i++) {
        const struct rules_for process = {is_sanitized, (i & 2) != 0, (i & 1) != 0};
        if (!print_filter(&process)) {
            return false;
        }
    }
    return true;
}

int main(void)
{
    bool done = seccomp_api_set(API_LEVEL) == 0;
    (void)printf("/* Made by src/confine/make_filters.c. */\n#include \"confine/filters.h\"\n\n"
                 "#if CONFINE_SANITIZED\n");
    done = done && print_filters(true);
    (void)printf("#else\n");
    done = done && print_filters(false);
    (void)printf("#endif\n\n#define FILTER(name) {name, sizeof name / sizeof *name}\n"
                 "const struct confine_filter confine_filters[2][2] = {\n"
                 "    {FILTER(filter_00), FILTER(filter_01)},\n"
                 "    {FILTER(filter_10), FILTER(filter_11)},\n};\n");
    if (fflush(stdout) != 0 || ferror(stdout) != 0 || !done) {
        (void)fputs("make-filters: the filters of system calls could not be made or not be "
                    "written\n",
                    stderr);
        return 1;
    }
    return 0;
}
