/* How a function is put in front of another one of its name.
 *
 * INTERPOSE(what, type, failed, name, parameters, arguments): the function `name`, counted as
 * FAULT_what, returns `failed` when it is to fail, with errno set. INTERPOSE_LENGTH is for one that
 * moves the `len` bytes of one of its parameters, of which it may be told to move half. */
#ifndef LATCHKEY_FAULT_INTERPOSE_H
#define LATCHKEY_FAULT_INTERPOSE_H

#include <errno.h>
#include <stddef.h>

#include "plan.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): types, parameters and arguments take none */
#define INTERPOSE_BODY(what, type, failed, name, parameters, arguments, shorten)                   \
    type name parameters                                                                           \
    {                                                                                              \
        static type(*original) parameters;                                                         \
        struct fault fault = fault_ask(FAULT_##what, __builtin_return_address(0));                 \
        if (original == NULL) {                                                                    \
            fault_find(#name, &original);                                                          \
        }                                                                                          \
        if (fault.how == FAULT_BEFORE) {                                                           \
            errno = fault.error;                                                                   \
            return failed;                                                                         \
        }                                                                                          \
        shorten type result = original arguments;                                                  \
        if (fault.how == FAULT_AFTER) {                                                            \
            errno = fault.error;                                                                   \
            return failed;                                                                         \
        }                                                                                          \
        return result;                                                                             \
    }
#define INTERPOSE(what, type, failed, name, parameters, arguments)                                 \
    INTERPOSE_BODY(what, type, failed, name, parameters, arguments, )
#define INTERPOSE_LENGTH(what, type, failed, name, parameters, arguments)                          \
    INTERPOSE_BODY(what, type, failed, name, parameters, arguments,                                \
                   len = fault.how == FAULT_SHORT ? (len + 1) / 2 : len;)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
