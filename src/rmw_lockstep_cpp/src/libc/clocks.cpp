/// Clocks and sleeps on the time of the run.

#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "../process/real.hpp"
#include "times.hpp"

namespace rmw_lockstep
{

namespace
{

/// Sleep until a deadline in the run's time; whether a signal has ended it before.
bool sleep_until(std::int64_t deadline_ns)
{
  Run & run = rmw_lockstep::run();
  Held held(run.scheduler.lock);
  Wait wait;
  wait.what = WaitsFor::time;
  wait.deadline_ns = deadline_ns;
  wait.interruptible = true;
  return run.scheduler.wait(held, wait) == Woken::by_signal;
}

bool sleep_for(std::int64_t duration_ns)
{
  Run & run = rmw_lockstep::run();
  std::int64_t deadline_ns = 0;
  {
    Held held(run.scheduler.lock);
    deadline_ns = later(run.clock.now_ns(), duration_ns);
  }
  return sleep_until(deadline_ns);
}

}  // namespace

}  // namespace rmw_lockstep

using namespace rmw_lockstep;

REPLACE int clock_gettime(clockid_t clock, timespec * time) noexcept
{
  if (!is_on() || !is_virtual(clock)) {
    return REAL(clock_gettime)(clock, time);
  }
  *time = to_timespec(time_on(clock, read_clock()));
  return 0;
}

REPLACE int gettimeofday(timeval * time, void * zone) noexcept
{
  if (!is_on()) {
    return REAL(gettimeofday)(time, zone);
  }
  const std::int64_t now_ns = read_clock();
  time->tv_sec = now_ns / NS_PER_S;
  time->tv_usec = now_ns % NS_PER_S / 1000;
  return 0;
}

REPLACE time_t time(time_t * seconds) noexcept
{
  if (!is_on()) {
    return REAL(time)(seconds);
  }
  const time_t now = read_clock() / NS_PER_S;
  if (seconds != nullptr) {
    *seconds = now;
  }
  return now;
}

REPLACE int timespec_get(timespec * time, int base) noexcept
{
  if (!is_on() || base != TIME_UTC) {
    return REAL(timespec_get)(time, base);
  }
  *time = to_timespec(read_clock());
  return base;
}

REPLACE clock_t clock() noexcept
{
  if (!is_on()) {
    return REAL(clock)();
  }
  return time_on(CLOCK_PROCESS_CPUTIME_ID, read_clock()) / (NS_PER_S / CLOCKS_PER_SEC);
}

REPLACE int clock_nanosleep(clockid_t clock, int flags, const timespec * time, timespec * left)
{
  if (!is_on() || !is_virtual(clock)) {
    return REAL(clock_nanosleep)(clock, flags, time, left);
  }
  if (time->tv_nsec < 0 || time->tv_nsec >= NS_PER_S) {
    return EINVAL;
  }
  bool is_interrupted = false;
  if ((flags & TIMER_ABSTIME) != 0) {
    is_interrupted = sleep_until(deadline_of(clock, *time));
  } else {
    is_interrupted = sleep_for(to_ns(*time));
    if (left != nullptr) {
      *left = {0, 0};
    }
  }
  return is_interrupted ? EINTR : 0;
}

REPLACE int nanosleep(const timespec * time, timespec * left)
{
  if (!is_on()) {
    return REAL(nanosleep)(time, left);
  }
  const int error = clock_nanosleep(CLOCK_REALTIME, 0, time, left);
  if (error != 0) {
    errno = error;
    return -1;
  }
  return 0;
}

REPLACE int usleep(useconds_t duration_us)
{
  const timespec time = to_timespec(duration_us * 1000LL);
  return nanosleep(&time, nullptr);
}

REPLACE unsigned sleep(unsigned seconds)
{
  const timespec time{static_cast<time_t>(seconds), 0};
  return nanosleep(&time, nullptr) == 0 ? 0 : seconds;
}
