// SPDX-License-Identifier: Apache-2.0
// Records what a program asks of the first SQLite connection it opens, and asks it again in C.
#pragma once
#include <stdint.h>

// Forgets what was recorded and records from now on; stops.
void recorder_start(void);
void recorder_stop(void);
// The part that is timed begins, or ends, here.
void recorder_mark(void);
// How many statements between the last two marks were COMMIT.
long recorder_commits(void);
// Runs all of it on `path`. CPU and wall time of the part between the marks, in seconds.
void recorder_replay(const char *path, double *cpu, double *wall);
// `times` signatures with P-256 over SHA-256 of `bytes` octets, each of them verified.
void recorder_sign(long times, int bytes, double *cpu, double *wall);
// CPU time of all threads so far, and a steady clock.
void recorder_clock(double *cpu, double *wall);
