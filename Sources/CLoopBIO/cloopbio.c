// SPDX-License-Identifier: Apache-2.0
#include "cloopbio.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

// Bytes [start, end) of a block of `capacity`; without a block when it is empty.
struct queue {
    uint8_t *block;
    size_t start, end, capacity;
};

struct loop {
    struct queue inbound, outbound;
};

// The smallest block: an ordinary request or answer with its record overhead fits.
enum { smallest_block = 2048 };

static void queue_clear(struct queue *q) {
    free(q->block);
    *q = (struct queue){0};
}

// Makes room for `count` bytes after `end`. The block doubles, so appending is linear in total.
static int queue_reserve(struct queue *q, size_t count) {
    size_t held = q->end - q->start;
    if (count <= q->capacity - q->end) return 1;
    if (count > SIZE_MAX / 4 - held) return 0;
    if (held + count <= q->capacity && q->start >= held) {  // the move never overlaps
        memcpy(q->block, q->block + q->start, held);
    } else {
        size_t capacity = q->capacity ? q->capacity : smallest_block;
        while (capacity < held + count) capacity *= 2;
        uint8_t *block = malloc(capacity);
        if (!block) return 0;
        if (held) memcpy(block, q->block + q->start, held);
        free(q->block);
        q->block = block;
        q->capacity = capacity;
    }
    q->start = 0;
    q->end = held;
    return 1;
}

static int queue_append(struct queue *q, const void *bytes, size_t count) {
    if (!queue_reserve(q, count)) return 0;
    if (count) memcpy(q->block + q->end, bytes, count);
    q->end += count;
    return 1;
}

static void queue_drop(struct queue *q, size_t count) {
    if (count >= q->end - q->start) queue_clear(q);
    else q->start += count;
}

static int loop_read(BIO *bio, char *out, size_t wanted, size_t *taken) {
    struct queue *q = &((struct loop *)BIO_get_data(bio))->inbound;
    size_t held = q->end - q->start;
    BIO_clear_retry_flags(bio);
    *taken = wanted < held ? wanted : held;
    if (*taken == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(out, q->block + q->start, *taken);
    queue_drop(q, *taken);
    return 1;
}

static int loop_write(BIO *bio, const char *bytes, size_t count, size_t *written) {
    BIO_clear_retry_flags(bio);
    *written = 0;
    if (!queue_append(&((struct loop *)BIO_get_data(bio))->outbound, bytes, count)) return 0;
    *written = count;
    return 1;
}

static long loop_ctrl(BIO *bio, int command, long number, void *pointer) {
    struct loop *loop = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_PENDING: return (long)(loop->inbound.end - loop->inbound.start);
    case BIO_CTRL_WPENDING: return (long)(loop->outbound.end - loop->outbound.start);
    default: return 0;
    }
}

static int loop_destroy(BIO *bio) {
    struct loop *loop = BIO_get_data(bio);
    if (loop) {
        queue_clear(&loop->inbound);
        queue_clear(&loop->outbound);
        free(loop);
        BIO_set_data(bio, NULL);
    }
    return 1;
}

// One table of functions for the life of the process.
static BIO_METHOD *method;
static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;

static void method_make(void) {
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "loop");
    if (!made) return;
    if (BIO_meth_set_read_ex(made, loop_read) && BIO_meth_set_write_ex(made, loop_write) &&
        BIO_meth_set_ctrl(made, loop_ctrl) && BIO_meth_set_destroy(made, loop_destroy))
        method = made;
    else
        BIO_meth_free(made);
}

BIO *dg_loop_bio_new(void) {
    if (!CRYPTO_THREAD_run_once(&method_once, method_make) || !method) return NULL;
    struct loop *loop = calloc(1, sizeof *loop);
    BIO *bio = loop ? BIO_new(method) : NULL;
    if (!bio) {
        free(loop);
        return NULL;
    }
    BIO_set_data(bio, loop);
    BIO_set_init(bio, 1);
    return bio;
}

int dg_loop_bio_receive(BIO *bio, const void *bytes, size_t count) {
    return queue_append(&((struct loop *)BIO_get_data(bio))->inbound, bytes, count);
}

size_t dg_loop_bio_unread(BIO *bio) {
    struct queue *q = &((struct loop *)BIO_get_data(bio))->inbound;
    return q->end - q->start;
}

const uint8_t *dg_loop_bio_outbound(BIO *bio, size_t *count) {
    struct queue *q = &((struct loop *)BIO_get_data(bio))->outbound;
    *count = q->end - q->start;
    return q->block ? q->block + q->start : NULL;
}

void dg_loop_bio_sent(BIO *bio, size_t count) {
    queue_drop(&((struct loop *)BIO_get_data(bio))->outbound, count);
}
