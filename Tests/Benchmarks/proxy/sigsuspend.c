// SPDX-License-Identifier: Apache-2.0
// Valgrind writes into the mask that sigsuspend is given, and libdispatch's is in read-only memory:
// preloaded, this hands over a copy.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
    sigset_t copy = *mask;
    return (int)syscall(SYS_rt_sigsuspend, &copy, 8);
}
