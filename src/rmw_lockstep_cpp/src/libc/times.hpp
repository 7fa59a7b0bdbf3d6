#ifndef LIBC__TIMES_HPP_
#define LIBC__TIMES_HPP_

#include <dlfcn.h>
#include <time.h>

#include <cstdint>

#include "../process/passing_time.hpp"
#include "../process/run.hpp"
#include "../process/start.hpp"

namespace rmw_lockstep
{

inline constexpr std::int64_t NS_PER_S = 1000000000;

inline std::int64_t to_ns(const timespec & time)
{
  constexpr std::int64_t MOST_S = FOREVER / NS_PER_S - 1;
  return time.tv_sec > MOST_S ? FOREVER : time.tv_sec * NS_PER_S + time.tv_nsec;
}

inline timespec to_timespec(std::int64_t time_ns)
{
  return {time_ns / NS_PER_S, time_ns % NS_PER_S};
}

/// `duration_ns` later, but never after FOREVER.
inline std::int64_t later(std::int64_t time_ns, std::int64_t duration_ns)
{
  return duration_ns >= FOREVER - time_ns ? FOREVER : time_ns + duration_ns;
}

inline bool is_steady(clockid_t clock)
{
  return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
         clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

/// Whether a clock shows the time of the run: all do, even that of the processor, which no node
/// would read twice alike.
inline bool is_virtual(clockid_t clock)
{
  return is_steady(clock) || clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
         clock == CLOCK_TAI || clock == CLOCK_PROCESS_CPUTIME_ID ||
         clock == CLOCK_THREAD_CPUTIME_ID;
}

/// What a clock shows at a time since the epoch.
inline std::int64_t time_on(clockid_t clock, std::int64_t time_ns)
{
  if (is_steady(clock)) {
    return run().clock.steady(time_ns);
  }
  if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
    return run().clock.steady(time_ns) - Clock::STEADY_START_NS;
  }
  return time_ns;
}

/// Whether this is a program in Python, which reads a clock whenever it takes a lock or sleeps, for
/// the deadline of that alone.
inline bool is_python()
{
  static const bool is_loaded = dlsym(RTLD_DEFAULT, "Py_IsInitialized") != nullptr;
  return is_loaded;
}

/// The run's time of a deadline that code has computed on a clock; wants nothing to be held.
inline std::int64_t deadline_of(clockid_t clock, const timespec & time)
{
  std::int64_t read_ns = to_ns(time);
  if (is_steady(clock) && read_ns != FOREVER) {
    read_ns = run().clock.system(read_ns);
  }
  const Held held(run().scheduler.lock);
  const std::int64_t deadline_ns = run().clock.deadline(read_ns, thread_id());
  if (is_python()) {
    run().clock.take_back_reading(thread_id());
  }
  return deadline_ns;
}

}  // namespace rmw_lockstep

#endif  // LIBC__TIMES_HPP_
