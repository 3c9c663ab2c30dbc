/* The single layers, for confine.c. Each is for good, and logs why when it cannot be had. */
#ifndef LATCHKEY_CONFINE_LAYERS_H
#define LATCHKEY_CONFINE_LAYERS_H

#include "confine/confine.h"

/* No new privileges, dumps, debuggers or children; descriptors and memory as planned. ERR_SYSTEM.
 */
enum status limits_set(const struct confine_plan *plan) MUST_USE;

/* Files below the plan's folders and no others, no network, no signals to others. A folder that is
 * not there is out of reach. ERR_NOT_FOUND: the kernel has no Landlock. ERR_SYSTEM. Needs no new
 * privileges, as limits_set sees to. */
enum status files_restrict(const struct confine_plan *plan) MUST_USE;

/* The system calls that the plan needs and no others. ERR_NOT_FOUND: the kernel has no such
 * filters. ERR_SYSTEM. Needs no new privileges likewise. To be the last. */
enum status calls_restrict(const struct confine_plan *plan) MUST_USE;

/* Whether this is a build with sanitizers, which at the end look through the process by means that
 * no program needs: they keep these. */
#if defined(__SANITIZE_ADDRESS__)
#define CONFINE_SANITIZED true
#else
#define CONFINE_SANITIZED false
#endif

#endif
