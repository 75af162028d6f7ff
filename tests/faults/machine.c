/* Loaded into a program with LD_PRELOAD, it changes the program's clock and disk as the file
 * MACHINE_ORDERS says. This needs no root, and affects no other program. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Longer than any pause between two votes, and far shorter than a voter's patience. */
#define SLOW_SYNC_US 400000

/* As machine.rs writes and reads it. */
struct orders {
    int64_t seconds_ahead;
    /* The time that the program was told last. */
    int64_t seconds_told;
    char disk_is_full;
    char disk_is_slow;
    char synced_slowly;
};

static volatile struct orders *orders;

/* Without orders a fault would prove nothing, so the program must not start. */
__attribute__((constructor)) static void find_orders(void) {
    const char *path = getenv("MACHINE_ORDERS");
    int file = path ? open(path, O_RDWR) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) abort();
    orders = page;
    close(file);
}

/* The function that ours replaces. Before the constructor has run there are no orders. */
#define REAL(name)                                              \
    static __typeof__(&name) real;                              \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static time_t told(time_t seconds) {
    if (!orders) return seconds;
    return orders->seconds_told = seconds + orders->seconds_ahead;
}

/* The wall clock alone, as when an operator sets it. */
int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_gettime);
    int result = real(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec = told(now->tv_sec);
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    REAL(gettimeofday);
    int result = real(now, zone);
    if (result == 0) now->tv_sec = told(now->tv_sec);
    return result;
}

time_t time(time_t *copy) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (copy) *copy = now.tv_sec;
    return now.tv_sec;
}

/* Pipes and sockets need no disk. */
static int has_no_room(int fd) {
    struct stat what;
    if (!orders || !orders->disk_is_full || fstat(fd, &what) != 0 || !S_ISREG(what.st_mode)) return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write);
    static int tore;
    if (!has_no_room(fd)) return real(fd, bytes, count);
    /* The last room of a disk takes a part of a write. */
    if (!tore && count > 1) {
        tore = 1;
        return real(fd, bytes, count / 2);
    }
    return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    REAL(pwrite);
    return has_no_room(fd) ? -1 : real(fd, bytes, count, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    REAL(pwritev);
    return has_no_room(fd) ? -1 : real(fd, parts, count, at);
}

/* Their names where files may be large. */
ssize_t pwrite64(int, const void *, size_t, off64_t) __attribute__((alias("pwrite")));
ssize_t pwritev64(int, const struct iovec *, int, off64_t) __attribute__((alias("pwritev")));

static void sync_slowly(void) {
    if (!orders || !orders->disk_is_slow) return;
    orders->synced_slowly = 1;
    usleep(SLOW_SYNC_US);
}

int fsync(int fd) {
    REAL(fsync);
    sync_slowly();
    return real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    sync_slowly();
    return real(fd);
}
