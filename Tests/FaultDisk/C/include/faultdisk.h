// SPDX-License-Identifier: Apache-2.0
// A layer between SQLite and the system that can lose power: what was written but not synced is
// kept apart, and a cut leaves of it what a disk might have written by then, in sectors.
#pragma once
#include <stdint.h>

typedef struct dg_disk dg_disk;

// Registers the layer under the name `fault`, once. Zero, or SQLite's code.
int dg_disk_register(void);

// The files in `folder`, which lie on a disk of their own from now on; `seed` decides its cuts.
// No file of it may be open. Freed by dg_disk_free after the last one is closed.
dg_disk *dg_disk_new(const char *folder, uint64_t seed);
void dg_disk_free(dg_disk *disk);

// Cuts the power `times` times, each after between 1 and `span` writes and syncs. The life of the
// process goes on; `images/<n>`, a folder made here, holds what the n-th cut left on the disk.
void dg_disk_cut(dg_disk *disk, const char *images, int times, uint64_t span);
// How many cuts there have been.
int dg_disk_cuts(dg_disk *disk);

// A disk that says it has synced and has not.
void dg_disk_lie(dg_disk *disk, int lies);
// At most `bytes` in all files; below zero for no limit.
void dg_disk_limit(dg_disk *disk, int64_t bytes);
// How many bytes the files have.
int64_t dg_disk_size(dg_disk *disk);
// The `count`-th sync, or write, from now fails with EIO; what it was to write is gone.
void dg_disk_fail_sync(dg_disk *disk, int count);
void dg_disk_fail_write(dg_disk *disk, int count);
// How many syncs have been asked for.
uint64_t dg_disk_syncs(dg_disk *disk);
