// SPDX-License-Identifier: Apache-2.0
#include "faultdisk.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, PATH_LIMIT = 1024 };

// One write or truncation that no sync has confirmed.
typedef struct change {
    struct change *next;
    int64_t offset;
    int64_t count;  // below zero: the file ends at `offset`
    unsigned char bytes[];
} change;

typedef struct disk_file {
    struct disk_file *next;
    char path[PATH_LIMIT];
    int isThere;  // its name is on the disk
    unsigned char *durable;
    int64_t size;
    int64_t liveSize;
    change *first, *last;
} disk_file;

struct dg_disk {
    dg_disk *next;
    char folder[PATH_LIMIT];
    char images[PATH_LIMIT];
    disk_file *files;
    uint64_t random, operations, nextCut, span, syncs;
    int cuts, cutsLeft, lies, failSync, failWrite;
    int64_t limit;
};

typedef struct open_file {
    sqlite3_file base;
    dg_disk *disk;
    disk_file *file;  // NULL: not on a disk of ours
    sqlite3_file *real;
} open_file;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static dg_disk *disks;
static sqlite3_vfs layer;
static sqlite3_vfs *beneath;

// ---- What the disk holds

static void *need(void *memory) {
    if (memory == NULL) abort();
    return memory;
}

static uint64_t draw(dg_disk *disk) {  // SplitMix64
    uint64_t z = disk->random += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void place(unsigned char **bytes, int64_t *size, int64_t offset, const void *from,
                  int64_t count) {
    if (offset + count > *size) {
        *bytes = need(realloc(*bytes, (size_t)(offset + count)));
        memset(*bytes + *size, 0, (size_t)(offset + count - *size));
        *size = offset + count;
    }
    memcpy(*bytes + offset, from, (size_t)count);
}

static void forget_changes(disk_file *file) {
    while (file->first != NULL) {
        change *next = file->first->next;
        free(file->first);
        file->first = next;
    }
    file->last = NULL;
}

static void add_change(disk_file *file, int64_t offset, const void *bytes, int64_t count) {
    change *added = need(malloc(sizeof(change) + (size_t)(count < 0 ? 0 : count)));
    added->next = NULL;
    added->offset = offset;
    added->count = count;
    if (count > 0) memcpy(added->bytes, bytes, (size_t)count);
    if (file->last != NULL) file->last->next = added;
    else file->first = added;
    file->last = added;
}

static void confirm(disk_file *file) {
    for (change *each = file->first; each != NULL; each = each->next) {
        if (each->count >= 0)
            place(&file->durable, &file->size, each->offset, each->bytes, each->count);
        else if (each->offset < file->size) file->size = each->offset;
    }
    forget_changes(file);
    file->isThere = 1;
}

static int64_t total(dg_disk *disk) {
    int64_t sum = 0;
    for (disk_file *file = disk->files; file != NULL; file = file->next) sum += file->liveSize;
    return sum;
}

// ---- A cut

// A disk writes sectors in any order: of each unconfirmed change any of them may be there.
static void write_image(dg_disk *disk, disk_file *file, const char *to, uint64_t keep) {
    if (!file->isThere && (file->first == NULL || draw(disk) % 2 == 0)) return;
    unsigned char *bytes = need(malloc((size_t)file->size + 1));
    int64_t size = file->size;
    memcpy(bytes, file->durable == NULL ? (unsigned char *)"" : file->durable, (size_t)size);
    for (change *each = file->first; each != NULL; each = each->next) {
        if (each->count < 0) {
            if (draw(disk) % 4 < keep && each->offset < size) size = each->offset;
            continue;
        }
        for (int64_t done = 0; done < each->count;) {
            int64_t part = SECTOR - (each->offset + done) % SECTOR;
            if (part > each->count - done) part = each->count - done;
            if (draw(disk) % 4 < keep)
                place(&bytes, &size, each->offset + done, each->bytes + done, part);
            done += part;
        }
    }
    char path[3 * PATH_LIMIT];
    snprintf(path, sizeof path, "%s%s", to, file->path + strlen(disk->folder));
    char *slash = strrchr(path, '/');
    *slash = 0;
    mkdir(path, 0700);
    *slash = '/';
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0 || write(out, bytes, (size_t)size) != size) abort();
    close(out);
    free(bytes);
}

// Called with the operation that is under way counted among the changes.
static void maybe_cut(dg_disk *disk) {
    disk->operations++;
    if (disk->cutsLeft == 0 || disk->operations < disk->nextCut) return;
    char to[2 * PATH_LIMIT];
    snprintf(to, sizeof to, "%s/%d", disk->images, disk->cuts);
    mkdir(disk->images, 0700);
    mkdir(to, 0700);
    // Of every four sectors none, one, … or all four.
    uint64_t keep = draw(disk) % 5;
    for (disk_file *file = disk->files; file != NULL; file = file->next)
        write_image(disk, file, to, keep);
    disk->cuts++;
    disk->cutsLeft--;
    disk->nextCut = disk->operations + 1 + draw(disk) % disk->span;
}

// ---- SQLite's methods of a file

static sqlite3_file *real(sqlite3_file *file) { return ((open_file *)file)->real; }

static int file_close(sqlite3_file *file) {
    sqlite3_file *beneath_it = real(file);
    return beneath_it->pMethods == NULL ? SQLITE_OK : beneath_it->pMethods->xClose(beneath_it);
}

static int file_read(sqlite3_file *file, void *to, int count, sqlite3_int64 offset) {
    return real(file)->pMethods->xRead(real(file), to, count, offset);
}

static int file_write(sqlite3_file *file, const void *from, int count, sqlite3_int64 offset) {
    open_file *open = (open_file *)file;
    if (open->file != NULL) {
        int code = SQLITE_OK;
        pthread_mutex_lock(&lock);
        dg_disk *disk = open->disk;
        int64_t end = offset + count;
        int64_t growth = end > open->file->liveSize ? end - open->file->liveSize : 0;
        if (disk->failWrite > 0 && --disk->failWrite == 0) code = SQLITE_IOERR_WRITE;
        else if (disk->limit >= 0 && growth > 0 && total(disk) + growth > disk->limit)
            code = SQLITE_FULL;
        else {
            open->file->liveSize += growth;
            add_change(open->file, offset, from, count);
            maybe_cut(disk);
        }
        pthread_mutex_unlock(&lock);
        if (code != SQLITE_OK) return code;
    }
    return real(file)->pMethods->xWrite(real(file), from, count, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    open_file *open = (open_file *)file;
    if (open->file != NULL) {
        pthread_mutex_lock(&lock);
        add_change(open->file, size, NULL, -1);
        if (size < open->file->liveSize) open->file->liveSize = size;
        maybe_cut(open->disk);
        pthread_mutex_unlock(&lock);
    }
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int file_sync(sqlite3_file *file, int flags) {
    (void)flags;
    open_file *open = (open_file *)file;
    int code = SQLITE_OK;
    if (open->file != NULL) {
        pthread_mutex_lock(&lock);
        open->disk->syncs++;
        maybe_cut(open->disk);
        if (open->disk->failSync > 0 && --open->disk->failSync == 0) {
            forget_changes(open->file);
            code = SQLITE_IOERR_FSYNC;
        } else if (!open->disk->lies) {
            confirm(open->file);
        }
        pthread_mutex_unlock(&lock);
    }
    // The file beneath stands for the page cache: syncing it would only cost time.
    return code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}
static int file_lock(sqlite3_file *file, int level) {
    return real(file)->pMethods->xLock(real(file), level);
}
static int file_unlock(sqlite3_file *file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
}
static int file_reserved(sqlite3_file *file, int *answer) {
    return real(file)->pMethods->xCheckReservedLock(real(file), answer);
}
static int file_control(sqlite3_file *file, int operation, void *argument) {
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}
static int file_sector(sqlite3_file *file) {
    return real(file)->pMethods->xSectorSize(real(file));
}
static int file_device(sqlite3_file *file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
static int file_shm_map(sqlite3_file *file, int page, int size, int extend,
                        void volatile **memory) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, memory);
}
static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
static void file_shm_barrier(sqlite3_file *file) {
    real(file)->pMethods->xShmBarrier(real(file));
}
static int file_shm_unmap(sqlite3_file *file, int remove) {
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, .xClose = file_close, .xRead = file_read, .xWrite = file_write,
    .xTruncate = file_truncate, .xSync = file_sync, .xFileSize = file_size, .xLock = file_lock,
    .xUnlock = file_unlock, .xCheckReservedLock = file_reserved, .xFileControl = file_control,
    .xSectorSize = file_sector, .xDeviceCharacteristics = file_device, .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock, .xShmBarrier = file_shm_barrier, .xShmUnmap = file_shm_unmap,
};

// ---- SQLite's methods of the layer

static dg_disk *disk_of(const char *path) {
    for (dg_disk *disk = disks; disk != NULL; disk = disk->next) {
        size_t count = strlen(disk->folder);
        if (strncmp(path, disk->folder, count) == 0 && path[count] == '/') return disk;
    }
    return NULL;
}

// What was there before the layer saw the file is on the disk.
static void load(disk_file *file) {
    int in = open(file->path, O_RDONLY | O_CLOEXEC);
    if (in < 0) return;
    struct stat status;
    if (fstat(in, &status) != 0) abort();
    file->size = file->liveSize = status.st_size;
    file->durable = need(malloc((size_t)file->size + 1));
    if (read(in, file->durable, (size_t)file->size) != file->size) abort();
    file->isThere = 1;
    close(in);
}

static disk_file *file_of(dg_disk *disk, const char *path) {
    for (disk_file *file = disk->files; file != NULL; file = file->next)
        if (strcmp(file->path, path) == 0) return file;
    disk_file *file = need(calloc(1, sizeof(disk_file)));
    snprintf(file->path, sizeof file->path, "%s", path);
    load(file);
    file->next = disk->files;
    disk->files = file;
    return file;
}

static int layer_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                      int *out) {
    (void)vfs;
    open_file *open = (open_file *)file;
    memset(open, 0, sizeof *open);
    open->real = (sqlite3_file *)(open + 1);
    if (name != NULL) {
        pthread_mutex_lock(&lock);
        open->disk = disk_of(name);
        if (open->disk != NULL) open->file = file_of(open->disk, name);
        pthread_mutex_unlock(&lock);
    }
    int code = beneath->xOpen(beneath, name, open->real, flags, out);
    if (code == SQLITE_OK) open->base.pMethods = &methods;
    return code;
}

// A name is gone from the disk at once: SQLite syncs the folder where it matters.
static int layer_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs;
    pthread_mutex_lock(&lock);
    dg_disk *disk = disk_of(name);
    for (disk_file *file = disk == NULL ? NULL : disk->files; file != NULL; file = file->next) {
        if (strcmp(file->path, name) != 0) continue;
        forget_changes(file);
        file->isThere = 0;
        file->size = file->liveSize = 0;
    }
    pthread_mutex_unlock(&lock);
    return beneath->xDelete(beneath, name, sync);
}

static int layer_access(sqlite3_vfs *vfs, const char *name, int flags, int *answer) {
    (void)vfs;
    return beneath->xAccess(beneath, name, flags, answer);
}
static int layer_path(sqlite3_vfs *vfs, const char *name, int count, char *out) {
    (void)vfs;
    return beneath->xFullPathname(beneath, name, count, out);
}

int dg_disk_register(void) {
    pthread_mutex_lock(&lock);
    int code = SQLITE_OK;
    if (beneath == NULL && (beneath = sqlite3_vfs_find(NULL)) != NULL) {
        layer = *beneath;
        layer.pNext = NULL;
        layer.zName = "fault";
        layer.szOsFile = (int)sizeof(open_file) + beneath->szOsFile;
        layer.xOpen = layer_open;
        layer.xDelete = layer_delete;
        layer.xAccess = layer_access;
        layer.xFullPathname = layer_path;
        code = sqlite3_vfs_register(&layer, 0);
    }
    pthread_mutex_unlock(&lock);
    return code;
}

// ---- For tests

dg_disk *dg_disk_new(const char *folder, uint64_t seed) {
    dg_disk *disk = need(calloc(1, sizeof(dg_disk)));
    snprintf(disk->folder, sizeof disk->folder, "%s", folder);
    disk->random = seed;
    disk->limit = -1;
    pthread_mutex_lock(&lock);
    disk->next = disks;
    disks = disk;
    pthread_mutex_unlock(&lock);
    return disk;
}

void dg_disk_free(dg_disk *disk) {
    pthread_mutex_lock(&lock);
    dg_disk **place_of = &disks;
    while (*place_of != disk) place_of = &(*place_of)->next;
    *place_of = disk->next;
    pthread_mutex_unlock(&lock);
    while (disk->files != NULL) {
        disk_file *next = disk->files->next;
        forget_changes(disk->files);
        free(disk->files->durable);
        free(disk->files);
        disk->files = next;
    }
    free(disk);
}

void dg_disk_cut(dg_disk *disk, const char *images, int times, uint64_t span) {
    pthread_mutex_lock(&lock);
    snprintf(disk->images, sizeof disk->images, "%s", images);
    disk->cutsLeft = times;
    disk->span = span;
    disk->nextCut = disk->operations + 1 + draw(disk) % span;
    pthread_mutex_unlock(&lock);
}

#define LOCKED(statement)           \
    do {                            \
        pthread_mutex_lock(&lock);  \
        statement;                  \
        pthread_mutex_unlock(&lock); \
    } while (0)

int dg_disk_cuts(dg_disk *disk) {
    int cuts;
    LOCKED(cuts = disk->cuts);
    return cuts;
}
int64_t dg_disk_size(dg_disk *disk) {
    int64_t size;
    LOCKED(size = total(disk));
    return size;
}
uint64_t dg_disk_syncs(dg_disk *disk) {
    uint64_t syncs;
    LOCKED(syncs = disk->syncs);
    return syncs;
}
void dg_disk_lie(dg_disk *disk, int lies) { LOCKED(disk->lies = lies); }
void dg_disk_limit(dg_disk *disk, int64_t bytes) { LOCKED(disk->limit = bytes); }
void dg_disk_fail_sync(dg_disk *disk, int count) { LOCKED(disk->failSync = count); }
void dg_disk_fail_write(dg_disk *disk, int count) { LOCKED(disk->failWrite = count); }
