// SPDX-License-Identifier: Apache-2.0
#include "recorder.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

// Linked with --wrap: the program's calls come to __wrap_x, SQLite's own function is __real_x.
typedef enum {
    PREPARE, EXEC, BIND_NULL, BIND_INT, BIND_TEXT, BIND_BLOB, BIND_ZERO, STEP, RESET, INT, TYPE,
    TEXT, BLOB, BYTES, CHANGES, MARK,
} kind;

typedef struct call {
    kind kind;
    int statement, place;
    int64_t value;
    size_t offset;
} call;

static call *calls;
static size_t count, room;
static char *texts;
static size_t length, textRoom;
static sqlite3 *connection;
static sqlite3_stmt **statements;
static int statementCount;
static int isOn, isTimed;
static long commits;

static void *need(void *memory) {
    if (memory == NULL) abort();
    return memory;
}

static size_t keep(const void *bytes, size_t size) {
    if (length + size > textRoom)
        texts = need(realloc(texts, textRoom = 2 * (length + size)));
    if (size > 0) memcpy(texts + length, bytes, size);
    length += size;
    return length - size;
}

static void add(kind kind, int statement, int place, int64_t value, size_t offset) {
    if (count == room) calls = need(realloc(calls, (room = 2 * room + 1024) * sizeof(call)));
    calls[count++] = (call){kind, statement, place, value, offset};
}

static int number(sqlite3_stmt *statement) {
    if (!isOn) return -1;
    for (int index = statementCount - 1; index >= 0; index--)
        if (statements[index] == statement) return index;
    return -1;
}

void recorder_start(void) {
    count = length = 0;
    statementCount = 0;
    connection = NULL;
    isOn = 1;
}

void recorder_stop(void) { isOn = 0; }

void recorder_mark(void) {
    isTimed = !isTimed;
    if (isTimed) commits = 0;
    if (isOn) add(MARK, 0, 0, 0, 0);
}

long recorder_commits(void) { return commits; }

// ---- What the program calls

int __real_sqlite3_prepare_v3(sqlite3 *, const char *, int, unsigned, sqlite3_stmt **,
                              const char **);
int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int size, unsigned flags,
                              sqlite3_stmt **out, const char **tail) {
    int code = __real_sqlite3_prepare_v3(db, sql, size, flags, out, tail);
    if (isOn && connection == NULL) connection = db;
    if (isOn && db == connection && code == SQLITE_OK) {
        statements = need(realloc(statements, (size_t)(statementCount + 1) * sizeof *statements));
        statements[statementCount] = *out;
        add(PREPARE, statementCount++, 0, 0, keep(sql, strlen(sql) + 1));
    }
    return code;
}

int __real_sqlite3_exec(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *,
                        char **);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql,
                        int (*callback)(void *, int, char **, char **), void *context,
                        char **error) {
    if (isOn && connection == NULL) connection = db;
    if (isOn && db == connection) add(EXEC, 0, 0, 0, keep(sql, strlen(sql) + 1));
    return __real_sqlite3_exec(db, sql, callback, context, error);
}

#define RECORD(kind, place, value, offset)                              \
    do {                                                                \
        int index = number(statement);                                  \
        if (index >= 0) add(kind, index, place, (int64_t)(value), offset); \
    } while (0)

int __real_sqlite3_bind_null(sqlite3_stmt *, int);
int __wrap_sqlite3_bind_null(sqlite3_stmt *statement, int place) {
    RECORD(BIND_NULL, place, 0, 0);
    return __real_sqlite3_bind_null(statement, place);
}
int __real_sqlite3_bind_int64(sqlite3_stmt *, int, sqlite3_int64);
int __wrap_sqlite3_bind_int64(sqlite3_stmt *statement, int place, sqlite3_int64 value) {
    RECORD(BIND_INT, place, value, 0);
    return __real_sqlite3_bind_int64(statement, place, value);
}
int __real_sqlite3_bind_text64(sqlite3_stmt *, int, const char *, sqlite3_uint64,
                               void (*)(void *), unsigned char);
int __wrap_sqlite3_bind_text64(sqlite3_stmt *statement, int place, const char *text,
                               sqlite3_uint64 size, void (*free)(void *), unsigned char code) {
    RECORD(BIND_TEXT, place, size, keep(text, size));
    return __real_sqlite3_bind_text64(statement, place, text, size, free, code);
}
int __real_sqlite3_bind_blob64(sqlite3_stmt *, int, const void *, sqlite3_uint64,
                               void (*)(void *));
int __wrap_sqlite3_bind_blob64(sqlite3_stmt *statement, int place, const void *bytes,
                               sqlite3_uint64 size, void (*free)(void *)) {
    RECORD(BIND_BLOB, place, size, keep(bytes, size));
    return __real_sqlite3_bind_blob64(statement, place, bytes, size, free);
}
int __real_sqlite3_bind_zeroblob(sqlite3_stmt *, int, int);
int __wrap_sqlite3_bind_zeroblob(sqlite3_stmt *statement, int place, int size) {
    RECORD(BIND_ZERO, place, size, 0);
    return __real_sqlite3_bind_zeroblob(statement, place, size);
}
int __real_sqlite3_step(sqlite3_stmt *);
int __wrap_sqlite3_step(sqlite3_stmt *statement) {
    RECORD(STEP, 0, 0, 0);
    if (isTimed && strcmp(sqlite3_sql(statement), "COMMIT") == 0) commits++;
    return __real_sqlite3_step(statement);
}
int __real_sqlite3_reset(sqlite3_stmt *);
int __wrap_sqlite3_reset(sqlite3_stmt *statement) {
    RECORD(RESET, 0, 0, 0);
    return __real_sqlite3_reset(statement);
}
sqlite3_int64 __real_sqlite3_column_int64(sqlite3_stmt *, int);
sqlite3_int64 __wrap_sqlite3_column_int64(sqlite3_stmt *statement, int place) {
    RECORD(INT, place, 0, 0);
    return __real_sqlite3_column_int64(statement, place);
}
int __real_sqlite3_column_type(sqlite3_stmt *, int);
int __wrap_sqlite3_column_type(sqlite3_stmt *statement, int place) {
    RECORD(TYPE, place, 0, 0);
    return __real_sqlite3_column_type(statement, place);
}
const unsigned char *__real_sqlite3_column_text(sqlite3_stmt *, int);
const unsigned char *__wrap_sqlite3_column_text(sqlite3_stmt *statement, int place) {
    RECORD(TEXT, place, 0, 0);
    return __real_sqlite3_column_text(statement, place);
}
const void *__real_sqlite3_column_blob(sqlite3_stmt *, int);
const void *__wrap_sqlite3_column_blob(sqlite3_stmt *statement, int place) {
    RECORD(BLOB, place, 0, 0);
    return __real_sqlite3_column_blob(statement, place);
}
int __real_sqlite3_column_bytes(sqlite3_stmt *, int);
int __wrap_sqlite3_column_bytes(sqlite3_stmt *statement, int place) {
    RECORD(BYTES, place, 0, 0);
    return __real_sqlite3_column_bytes(statement, place);
}
int __real_sqlite3_changes(sqlite3 *);
int __wrap_sqlite3_changes(sqlite3 *db) {
    if (isOn && db == connection) add(CHANGES, 0, 0, 0, 0);
    return __real_sqlite3_changes(db);
}

// ---- The same in C

void recorder_clock(double *cpu, double *wall) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    *cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + 1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    *wall = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static volatile int64_t sink;

static void check(int code, sqlite3 *db) {
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
    fprintf(stderr, "replay: %s\n", sqlite3_errmsg(db));
    abort();
}

static void again(const call *call, sqlite3 *db, sqlite3_stmt **all) {
    sqlite3_stmt *statement = all[call->statement];
    const char *text = texts + call->offset;
    sqlite3_uint64 size = (sqlite3_uint64)call->value;
    switch (call->kind) {
    case PREPARE:
        check(__real_sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT,
                                        &all[call->statement], NULL), db);
        break;
    case EXEC: check(__real_sqlite3_exec(db, text, NULL, NULL, NULL), db); break;
    case BIND_NULL: __real_sqlite3_bind_null(statement, call->place); break;
    case BIND_INT: __real_sqlite3_bind_int64(statement, call->place, call->value); break;
    case BIND_TEXT:
        __real_sqlite3_bind_text64(statement, call->place, text, size, SQLITE_TRANSIENT,
                                   SQLITE_UTF8);
        break;
    case BIND_BLOB:
        __real_sqlite3_bind_blob64(statement, call->place, text, size, SQLITE_TRANSIENT);
        break;
    case BIND_ZERO: __real_sqlite3_bind_zeroblob(statement, call->place, (int)call->value); break;
    case STEP: check(__real_sqlite3_step(statement), db); break;
    case RESET: __real_sqlite3_reset(statement); break;
    case INT: sink += __real_sqlite3_column_int64(statement, call->place); break;
    case TYPE: sink += __real_sqlite3_column_type(statement, call->place); break;
    case TEXT: sink += (intptr_t)__real_sqlite3_column_text(statement, call->place); break;
    case BLOB: sink += (intptr_t)__real_sqlite3_column_blob(statement, call->place); break;
    case BYTES: sink += __real_sqlite3_column_bytes(statement, call->place); break;
    case CHANGES: sink += __real_sqlite3_changes(db); break;
    case MARK: break;
    }
}

void recorder_replay(const char *path, double *cpu, double *wall) {
    sqlite3 *db = NULL;
    check(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), db);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_stmt **all = need(calloc((size_t)statementCount + 1, sizeof *all));
    double cpuStart = 0, wallStart = 0;
    isOn = 0;
    int marks = 0;
    for (size_t index = 0; index < count; index++) {
        if (calls[index].kind != MARK) {
            again(&calls[index], db, all);
        } else if (marks++ == 0) {
            recorder_clock(&cpuStart, &wallStart);
        } else {
            recorder_clock(cpu, wall);
            *cpu -= cpuStart;
            *wall -= wallStart;
        }
    }
    for (int index = 0; index < statementCount; index++) sqlite3_finalize(all[index]);
    free(all);
    sqlite3_close(db);
}

void recorder_sign(long times, int bytes, double *cpu, double *wall) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    unsigned char *message = need(calloc(1, (size_t)bytes));
    double cpuStart, wallStart;
    recorder_clock(&cpuStart, &wallStart);
    for (long index = 0; index < times; index++) {
        unsigned char signature[80];
        size_t size = sizeof signature;
        message[index % bytes]++;
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1
            || EVP_DigestSign(context, signature, &size, message, (size_t)bytes) != 1) abort();
        EVP_MD_CTX_free(context);
        context = EVP_MD_CTX_new();
        if (EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) != 1
            || EVP_DigestVerify(context, signature, size, message, (size_t)bytes) != 1) abort();
        EVP_MD_CTX_free(context);
    }
    recorder_clock(cpu, wall);
    *cpu -= cpuStart;
    *wall -= wallStart;
    EVP_PKEY_free(key);
    free(message);
}
