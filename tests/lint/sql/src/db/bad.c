/* The engine begins and commits, but knows no table. */
const char *const statements[] = {
    "SELECT name FROM users", /* bad */
    "SELECT count(*) FROM sqlite_schema",
    "COMMIT",
    "PRAGMA journal_mode = WAL",
};
