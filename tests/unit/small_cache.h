/* A cache of sessions in the scratch folder, small enough to be filled, and who fills it. */
#ifndef LATCHKEY_TESTS_SMALL_CACHE_H
#define LATCHKEY_TESTS_SMALL_CACHE_H

#include <sys/types.h>

#include "database.h"
#include "store/cache.h"

#define SMALL_CACHE_BYTES ((uint64_t)4 << 20)

/* Removes what is there; the next one to use it makes it. */
void small_cache_remove(void);

/* A store over the file cache.db; fails the test when it cannot be had. */
struct store *small_cache_open(enum store_role role, uint64_t bytes);

/* An empty one, for the administrator. */
struct store *small_cache_make(void);

/* What opens it past the store; the path is static. */
struct db_settings small_cache_settings(void);

/* The session `number` of `writer`, which begins at NOON + number and lasts for long. */
struct session_row small_cache_row(int writer, int number);

/* Adds that session, or asks whether it is there. */
enum status small_cache_add(struct store *store, int writer, int number);
bool small_cache_holds(struct store *store, int writer, int number);

/* Adds sessions of the writer 0; up to `to`, or until some had to go, and answers how many. */
void small_cache_fill(struct store *store, int from, int to);
int small_cache_fill_up(struct store *store);

/* A process that adds its sessions, notes a use now and then, and ends with 0 if all went well. */
pid_t small_cache_start_writer(int writer, int from, int to);

/* Its use, and the bytes of the file, the log and the index of the log. */
struct cache_use small_cache_use(struct store *store);
uint64_t small_cache_size(void);

#endif
