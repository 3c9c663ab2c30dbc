/* The filters of system calls, which make_filters.c makes while Latchkey is built. */
#ifndef LATCHKEY_CONFINE_FILTERS_H
#define LATCHKEY_CONFINE_FILTERS_H

#include <linux/filter.h>
#include <stddef.h>

#include "confine/layers.h"

/* Stands in the filters for the number of the process that loads one. No other number in there is
 * the same: these are of system calls, flags and an architecture. */
#define CONFINE_OWN_PID 0x4c4b7069

#define CONFINE_INSTRUCTIONS_MAX 512 /* of a filter; make_filters.c makes sure */

/* A program for the kernel's classic BPF machine (seccomp(2), Documentation/userspace-api/
 * seccomp_filter.rst of Linux). */
struct confine_filter {
    const struct sock_filter *instructions;
    size_t count;
};

/* By whether a process watches files, and whether it hands connections over (struct
 * confine_plan). */
extern const struct confine_filter confine_filters[2][2];

#endif
