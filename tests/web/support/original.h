/* For files that are loaded before a program: the function of a name that stands behind one's own.
 */
#ifndef LATCHKEY_TEST_ORIGINAL_H
#define LATCHKEY_TEST_ORIGINAL_H

#include <dlfcn.h>

#define ORIGINAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#endif
