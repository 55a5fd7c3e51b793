// SPDX-License-Identifier: Apache-2.0
// Counts what the program allocates: a malloc in the executable takes the place of the library's.
#include <stddef.h>
#include <stdint.h>

extern void *__libc_malloc(size_t size);

static uint64_t count;

void *malloc(size_t size) {
    count++;
    return __libc_malloc(size);
}

uint64_t allocation_count(void) { return count; }
