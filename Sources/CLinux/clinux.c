// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
_Static_assert(sizeof(cl_event) == 12, "x86-64 packs struct epoll_event");
#elif defined(__aarch64__)
_Static_assert(sizeof(cl_event) == 16, "arm64 pads struct epoll_event");
#else
#error "struct epoll_event has been checked on x86-64 and arm64 only"
#endif
_Static_assert(sizeof(cl_event) == sizeof(struct epoll_event), "size of epoll_event");
_Static_assert(offsetof(cl_event, events) == offsetof(struct epoll_event, events), "events");
_Static_assert(offsetof(cl_event, slot) == offsetof(struct epoll_event, data), "user data");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "slot is the low half of the user data");
_Static_assert(EPOLLIN == 0x0001 && EPOLLOUT == 0x0004 && EPOLLERR == 0x0008, "event bits");
_Static_assert(EAI_NODATA == -5 && EAI_ADDRFAMILY == -9, "getaddrinfo results");
_Static_assert(EPOLLHUP == 0x0010 && EPOLLRDHUP == 0x2000, "event bits");

_Thread_local const void *cl_thread_owner;

static int result(int r) { return r < 0 ? -errno : r; }

const char *cl_error_text(int code) { return strerrordesc_np(code); }

int cl_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

int cl_epoll_add(int epoll, int fd, uint32_t slot, uint32_t generation) {
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.u64 = (uint64_t)generation << 32 | slot,
    };
    return result(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int cl_epoll_delete(int epoll, int fd) {
    return result(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL));
}

int cl_epoll_wait(int epoll, cl_event *events, int capacity, int milliseconds) {
    int n = epoll_wait(epoll, (struct epoll_event *)events, capacity, milliseconds);
    return n < 0 && errno == EINTR ? 0 : result(n);
}

int cl_eventfd(void) { return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int cl_eventfd_signal(int fd) {
    uint64_t one = 1;
    for (;;) {
        if (write(fd, &one, sizeof one) == sizeof one) return 0;
        // EAGAIN: the counter is full, so the reader's edge is already due.
        if (errno == EAGAIN) return 0;
        if (errno != EINTR) return -errno;
    }
}

int cl_timerfd(void) {
    return result(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

int cl_timerfd_set(int fd, uint64_t nanoseconds) {
    // Zero would disarm it, and is a time that has passed.
    if (nanoseconds == 0) nanoseconds = 1;
    struct itimerspec when = {.it_value = {
        .tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)}};
    return result(timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL));
}

int cl_thread_name(const char *name) { return -pthread_setname_np(pthread_self(), name); }

int cl_thread_affinity(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core < 0 || core >= CPU_SETSIZE) return -EINVAL;
    CPU_SET(core, &set);
    return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int cl_accept(int fd, struct sockaddr_storage *address, socklen_t *length) {
    *length = sizeof *address;
    return result(
        accept4(fd, (struct sockaddr *)address, length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

ssize_t cl_send_vector(int fd, const struct iovec *parts, int count) {
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    for (;;) {
        ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}

// Linux releases the descriptor even when close reports EINTR: never repeat it.
int cl_close(int fd) { return close(fd) < 0 && errno != EINTR ? -errno : 0; }

int cl_pipe(int ends[2]) { return result(pipe2(ends, O_CLOEXEC)); }

static void fill(sigset_t *set, const int *signals, int count) {
    sigemptyset(set);
    for (int i = 0; i < count; i++) sigaddset(set, signals[i]);
}

int cl_signals_block(const int *signals, int count) {
    sigset_t set;
    fill(&set, signals, count);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int cl_signals_descriptor(const int *signals, int count) {
    sigset_t set;
    fill(&set, signals, count);
    return result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int cl_signals_take(int fd) {
    struct signalfd_siginfo info;
    for (;;) {
        ssize_t n = read(fd, &info, sizeof info);
        if (n == sizeof info) return (int)info.ssi_signo;
        if (n >= 0 || errno == EAGAIN) return 0;
        if (errno != EINTR) return -errno;
    }
}

int cl_ignore_broken_pipe(void) { return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -errno : 0; }

int cl_random(void *buffer, size_t count) {
    unsigned char *to = buffer;
    while (count > 0) {
        ssize_t n = getrandom(to, count, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        to += n;
        count -= (size_t)n;
    }
    return 0;
}

int64_t cl_open_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    return (int64_t)limit.rlim_cur;
}

int64_t cl_open_files_set(int64_t soft) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = (rlim_t)soft < limit.rlim_max ? (rlim_t)soft : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    return (int64_t)limit.rlim_cur;
}

int cl_spawn(const cl_spawn_request *request) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    pid_t pid = 0;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure) return -failure;
    if ((failure = posix_spawnattr_init(&attributes))) {
        posix_spawn_file_actions_destroy(&actions);
        return -failure;
    }
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    const int wanted[3] = {request->input, request->output, request->error};
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    // dup2 onto the same number clears close-on-exec as well (POSIX), so inheriting needs no case.
    for (int i = 0; i < 3 && !failure; i++)
        failure = posix_spawn_file_actions_adddup2(&actions, wanted[i], i);
    // Some library may open descriptors without close-on-exec.
    if (!failure) failure = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!failure && request->directory)
        failure = posix_spawn_file_actions_addchdir_np(&actions, request->directory);
    if (!failure)
        failure = posix_spawn(&pid, request->path, &actions, &attributes, request->arguments,
                              request->environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure ? -failure : (int)pid;
}

int cl_pidfd_open(int pid) { return result((int)syscall(SYS_pidfd_open, pid, 0)); }

int cl_pidfd_kill(int pidfd, int signal) {
    return result((int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int cl_pidfd_reap(int pidfd, int *status) {
    siginfo_t info = {0};
    // P_PIDFD is 3 (linux/wait.h); older C libraries do not name it.
    if (waitid((idtype_t)3, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0) return -errno;
    if (info.si_pid == 0) return 0;
    *status = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    return 1;
}

int cl_end_with_parent(int signal) { return result(prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)); }
