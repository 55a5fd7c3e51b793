// SPDX-License-Identifier: Apache-2.0
// The Linux calls that Swift's Glibc module does not import: epoll, eventfd, timerfd, signalfd,
// accept4, pidfd, getrandom, thread names and affinity, posix_spawn with a clean signal mask.
//
// Every function returns a result >= 0, or a negated errno, so that no caller reads `errno` itself.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

// struct epoll_event as 32-bit words. The kernel packs it on x86-64 and pads it elsewhere;
// written as words it needs no `packed` attribute, and our 64-bit user data is readable as slot
// and generation. clinux.c asserts size and offsets against <sys/epoll.h> on the architecture
// being compiled.
typedef struct cl_event {
    uint32_t events;
#if !defined(__x86_64__)
    uint32_t padding;
#endif
    uint32_t slot;
    uint32_t generation;
} cl_event;

// EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDHUP (clinux.c asserts the values).
static const uint32_t cl_readable = 0x0001;
static const uint32_t cl_writable = 0x0004;
static const uint32_t cl_error = 0x0008;
static const uint32_t cl_hangup = 0x0010;
static const uint32_t cl_peer_finished = 0x2000;

// The description of an errno in English, immutable, or null for an unknown one.
const char *cl_error_text(int code);

int cl_epoll_create(void);
// Adds `fd` edge-triggered for reading, writing and the peer's half-close.
int cl_epoll_add(int epoll, int fd, uint32_t slot, uint32_t generation);
int cl_epoll_delete(int epoll, int fd);
// Number of events; EINTR counts as none. `milliseconds` < 0 waits without limit.
int cl_epoll_wait(int epoll, cl_event *events, int capacity, int milliseconds);

int cl_eventfd(void);
int cl_eventfd_signal(int fd);

// A timer of CLOCK_MONOTONIC that becomes readable when it fires.
int cl_timerfd(void);
// Fires once at `nanoseconds` of that clock, at once when that has passed; forgets an earlier one.
int cl_timerfd_set(int fd, uint64_t nanoseconds);

// The executor that owns the calling thread, or null. Inlined into the caller: a task switch asks
// it.
extern _Thread_local const void *cl_thread_owner;
static inline const void *cl_get_thread_owner(void) { return cl_thread_owner; }
static inline void cl_set_thread_owner(const void *owner) { cl_thread_owner = owner; }

int cl_thread_name(const char *name);
int cl_thread_affinity(int core);

int cl_accept(int fd, struct sockaddr_storage *address, socklen_t *length);
// sendmsg with MSG_NOSIGNAL; bytes taken by the kernel.
ssize_t cl_send_vector(int fd, const struct iovec *parts, int count);
int cl_close(int fd);
// getaddrinfo's GNU results for a name that exists without a usable address.
static const int cl_eai_no_data = -5;
static const int cl_eai_address_family = -9;
// A close-on-exec pipe: reading end, writing end.
int cl_pipe(int ends[2]);

int cl_signals_block(const int *signals, int count);
int cl_signals_descriptor(const int *signals, int count);
// The next pending signal's number, or 0 when none is pending.
int cl_signals_take(int fd);
int cl_ignore_broken_pipe(void);

// Fills `buffer` from getrandom(2).
int cl_random(void *buffer, size_t count);

// Soft RLIMIT_NOFILE; cl_open_files_set clamps to the hard limit. Both return the soft limit now.
int64_t cl_open_files(void);
int64_t cl_open_files_set(int64_t soft);

typedef struct cl_spawn_request {
    const char *path;
    char *const *arguments;      // null-terminated, first is the program's name
    char *const *environment;    // null-terminated
    const char *directory;       // null: inherit
    int input, output, error;    // descriptors for 0, 1, 2
} cl_spawn_request;
// Process id. The child starts with no signal blocked and default dispositions.
int cl_spawn(const cl_spawn_request *request);
int cl_pidfd_open(int pid);
int cl_pidfd_kill(int pidfd, int signal);
// 1 and the status (exit code 0...255, or -signal) once the child has ended and is reaped; else 0.
int cl_pidfd_reap(int pidfd, int *status);
// This process receives `signal` when the thread that started it ends.
int cl_end_with_parent(int signal);
