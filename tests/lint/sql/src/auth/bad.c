/* Statements away from the store. */
const char *const statements[] = {
    "SELECT name FROM users",            /* bad */
    "INSERT INTO users (name) VALUES (?)", /* bad */
    "UPDATE users SET name = ?",         /* bad */
    "DELETE FROM users",                 /* bad */
    "CREATE TABLE users (name)",         /* bad */
    "BEGIN IMMEDIATE",                   /* bad */
    "PRAGMA journal_mode = WAL",         /* bad */
    "-----BEGIN KEY-----",
    "select a user",
};
