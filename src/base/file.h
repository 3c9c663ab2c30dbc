/* Small files read whole and replaced whole. */
#ifndef LATCHKEY_BASE_FILE_H
#define LATCHKEY_BASE_FILE_H

#include <limits.h>
#include <sys/stat.h>

#include "base/buffer.h"

/* Appends the content of a regular file to *out, up to the buffer's limit.
 * ERR_NOT_FOUND, ERR_TOO_LARGE, ERR_SYSTEM (errno tells why), ERR_MEMORY: *out is as it was;
 * nothing is logged. */
enum status file_read(const char *path, struct buffer *out) MUST_USE;

/* The same for a file that must be private: a regular file (no symbolic link), owned by the user
 * who runs this program or by root, mode without any right for group and others, in a folder that
 * file_check_folder takes. ERR_PERMISSION (logged with the chmod or chown that mends it);
 * *identity receives its stat. */
enum status file_read_private(const char *path, struct buffer *out, struct stat *identity) MUST_USE;

/* Refuses a folder in which all may replace files: one that others may write and that is not sticky
 * (as /tmp is). ERR_PERMISSION, ERR_SYSTEM; both logged. */
enum status file_check_folder(const char *path) MUST_USE;

/* Replaces or creates a file with mode 0600, atomically and durably: written beside it, fsync,
 * rename, fsync of the folder. With `fresh`, ERR_EXISTS when it is there already. ERR_SYSTEM
 * (logged). A file that is replaced keeps its owner where the system allows. */
enum status file_write_private(const char *path, struct text content, bool fresh) MUST_USE;

/* A file that is being written is named like the one that it becomes, with this and six letters or
 * digits behind. Whoever is killed meanwhile leaves it. */
#define FILE_BESIDE ".new."

/* The same in two steps, for content that somebody else writes: until the second nothing has the
 * name `path`, whatever happens meanwhile. The first makes an empty file of mode 0600 beside it,
 * named `made` and open as *out; ERR_SYSTEM (logged). The second closes it in any case, and takes
 * it away when it fails, as file_write_private does. */
enum status file_make_beside(const char *path, char made[PATH_MAX], int *out) MUST_USE;
enum status file_put_in_place(const char *made, int descriptor, const char *path, bool fresh)
    MUST_USE;

/* As root, gives an open file to the owner of the folder that `path` lies in, so that programs
 * which run as that user can use what root made first: a regular file of root's with this one name.
 * Does nothing else; failing is logged. */
void file_give_to_owner_of_folder(int descriptor, const char *path);

/* Makes a folder and its missing parents, mode `mode` for the last. OK when it is there. ERR_SYSTEM
 * (logged). */
enum status file_make_folder(const char *path, mode_t mode) MUST_USE;

/* Writes the folder that `path` lies in, "." for a bare name. False: it is too long. */
bool file_print_folder(const char *path, char folder[PATH_MAX]) MUST_USE;

/* Whether two stats are of one file, by device and inode; and whether nobody wrote to it between
 * them either, by size and times. */
bool file_is_same(const struct stat *a, const struct stat *b);
bool file_is_untouched(const struct stat *a, const struct stat *b);

#endif
