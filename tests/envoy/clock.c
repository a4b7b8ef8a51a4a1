/* A clock that a test sets: LD_PRELOAD puts it between a program and its clock of the day. Debian's libfaketime does more, and
   with Envoy it waits for itself: tcmalloc's first allocation calls poll, which libfaketime has replaced too, and what finds
   the real one allocates. Here is no allocation, and no other call is replaced: timers go on as they do where an operator sets
   the clock. */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Seconds that the clock is ahead, in digits, from a file that is replaced at once. */
static time_t ahead(void) {
  char digits[24] = {0};
  const char *path = getenv("CLOCK_AHEAD");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return 0;
  if (read(file, digits, sizeof digits - 1) < 0) digits[0] = 0;
  close(file);
  return strtoll(digits, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead();
  return result;
}

int gettimeofday(struct timeval *now, void *zone) {
  int result = syscall(SYS_gettimeofday, now, zone);
  if (result == 0) now->tv_sec += ahead();
  return result;
}

time_t time(time_t *now) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (now) *now = exact.tv_sec;
  return exact.tv_sec;
}
