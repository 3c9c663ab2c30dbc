/* The engine begins and commits, but knows no table. */
const char *const statements[] = {
    "SELECT name FROM users", /* bad */
    "COMMIT",
    "PRAGMA journal_mode = WAL",
};
