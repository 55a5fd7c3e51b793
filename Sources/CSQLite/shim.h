// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast that Swift cannot import: SQLite copies the bytes before it returns.
static inline int dg_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes,
                                      sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}
static inline int dg_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text,
                                      sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, text, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

// Variadic: whether the last connection to close may checkpoint.
static inline int dg_sqlite_no_checkpoint_on_close(sqlite3 *database) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, 0);
}

// Extended codes are expressions that Swift does not import.
static const int dg_sqlite_ioerr_nomem = SQLITE_IOERR_NOMEM;
static const int dg_sqlite_ioerr_fsync = SQLITE_IOERR_FSYNC;
static const int dg_sqlite_ioerr_dir_fsync = SQLITE_IOERR_DIR_FSYNC;

// Variadic: SQLite counts what it allocates, under one lock, unless told before its first use.
static inline int dg_sqlite_count_no_memory(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}
