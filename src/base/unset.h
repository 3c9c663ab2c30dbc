/* For variables of kilobytes on the road of a check that a call fills before anybody reads them. */
#ifndef LATCHKEY_BASE_UNSET_H
#define LATCHKEY_BASE_UNSET_H

/* Every other variable that is not set where it is declared begins as zeros
 * (-ftrivial-auto-var-init=zero of the Makefile): what a fault leaves unset then denies, and tells
 * nothing of former calls. For these that would be done for nothing at each request. */
#define UNSET __attribute__((uninitialized))

#endif
