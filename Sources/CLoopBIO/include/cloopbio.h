// SPDX-License-Identifier: Apache-2.0
// A BIO between OpenSSL and bytes in memory, for sessions that never see a socket.
//
// OpenSSL reads ciphertext from the inbound queue and appends ciphertext to the outbound queue;
// an empty inbound queue is "retry", never the end of the stream. A queue owns memory only while
// it holds bytes, so an idle connection costs two empty structs. OpenSSL's own memory BIO keeps
// its buffer for ever and moves bytes about; measured on 20 KB bodies it is a quarter slower.
#pragma once
#include <openssl/bio.h>
#include <stddef.h>
#include <stdint.h>

// A new BIO, or NULL when memory is exhausted. SSL_set_bio takes it over.
BIO *dg_loop_bio_new(void);

// Copies ciphertext to the end of the inbound queue. 1, or 0 when memory is exhausted.
int dg_loop_bio_receive(BIO *bio, const void *bytes, size_t count);

// Bytes that came and that OpenSSL has not taken yet.
size_t dg_loop_bio_unread(BIO *bio);

// The outbound queue: its bytes, valid until the next call on this BIO or its SSL.
const uint8_t *dg_loop_bio_outbound(BIO *bio, size_t *count);

// Drops `count` bytes from the front of the outbound queue; more than it holds empties it.
void dg_loop_bio_sent(BIO *bio, size_t count);
