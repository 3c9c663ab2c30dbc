/* The file of the memory cache: opened, or made, by whichever program comes first. */
#ifndef LATCHKEY_STORE_CACHE_FILE_H
#define LATCHKEY_STORE_CACHE_FILE_H

#include "db/db.h"

/* Opens the cache at `path`, making it when it is missing, and anew (logged) when it cannot be
 * used. ERR_STORE (logged): it cannot be read, written or made, or a database of users is in its
 * place. ERR_MEMORY. */
enum status cache_file_open(const char *path, uint64_t size_bytes, struct db **out) MUST_USE;

/* Takes a damaged cache away, unless somebody has done so since `db` was opened. */
void cache_file_discard(const char *path, const struct db *db);

#endif
