/// Condition variables: their waits are wholly this library's, so their memory is not used.

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <vector>

#include "../process/real.hpp"
#include "waits.hpp"

using namespace rmw_lockstep;

namespace
{

/// The one clock that a condition variable can have other than CLOCK_REALTIME is told to
/// pthread_cond_init only.
Lock with_steady_clock_lock;
std::vector<const pthread_cond_t *> with_steady_clock;

bool has_steady_clock(const pthread_cond_t * condition)
{
  const std::lock_guard<Lock> guard(with_steady_clock_lock);
  return std::find(with_steady_clock.begin(), with_steady_clock.end(), condition) !=
         with_steady_clock.end();
}

void forget_clock(const pthread_cond_t * condition)
{
  const std::lock_guard<Lock> guard(with_steady_clock_lock);
  with_steady_clock.erase(
    std::remove(with_steady_clock.begin(), with_steady_clock.end(), condition),
    with_steady_clock.end());
}

int wait_on(pthread_cond_t * condition, pthread_mutex_t * mutex, const std::int64_t * deadline)
{
  const int error = pthread_mutex_unlock(mutex);
  if (error != 0) {
    return error;
  }
  const Woken woken = wait_for_address(WaitsFor::condition, condition, deadline);
  const int result = pthread_mutex_lock(mutex);
  return result != 0 ? result : woken == Woken::by_deadline ? ETIMEDOUT : 0;
}

}  // namespace

REPLACE int pthread_cond_init(
  pthread_cond_t * condition, const pthread_condattr_t * attributes) noexcept
{
  forget_clock(condition);
  clockid_t clock = CLOCK_REALTIME;
  if (attributes != nullptr && pthread_condattr_getclock(attributes, &clock) == 0) {
    if (clock != CLOCK_REALTIME) {
      const std::lock_guard<Lock> guard(with_steady_clock_lock);
      with_steady_clock.push_back(condition);
    }
  }
  return REAL_VERSION(pthread_cond_init, "GLIBC_2.3.2")(condition, attributes);
}

REPLACE int pthread_cond_destroy(pthread_cond_t * condition) noexcept
{
  forget_clock(condition);
  // Where threads wait, the C library would wait for them to leave.
  return is_on() ? 0 : REAL_VERSION(pthread_cond_destroy, "GLIBC_2.3.2")(condition);
}

REPLACE int pthread_cond_wait(pthread_cond_t * condition, pthread_mutex_t * mutex)
{
  if (!is_on()) {
    return REAL_VERSION(pthread_cond_wait, "GLIBC_2.3.2")(condition, mutex);
  }
  return wait_on(condition, mutex, nullptr);
}

REPLACE int pthread_cond_clockwait(
  pthread_cond_t * condition, pthread_mutex_t * mutex, clockid_t clock, const timespec * time)
{
  if (!is_on()) {
    return REAL(pthread_cond_clockwait)(condition, mutex, clock, time);
  }
  const std::int64_t deadline = deadline_of(clock, *time);
  return wait_on(condition, mutex, &deadline);
}

REPLACE int pthread_cond_timedwait(
  pthread_cond_t * condition, pthread_mutex_t * mutex, const timespec * time)
{
  if (!is_on()) {
    return REAL_VERSION(pthread_cond_timedwait, "GLIBC_2.3.2")(condition, mutex, time);
  }
  const clockid_t clock = has_steady_clock(condition) ? CLOCK_MONOTONIC : CLOCK_REALTIME;
  return pthread_cond_clockwait(condition, mutex, clock, time);
}

REPLACE int pthread_cond_signal(pthread_cond_t * condition) noexcept
{
  if (!is_on()) {
    return REAL_VERSION(pthread_cond_signal, "GLIBC_2.3.2")(condition);
  }
  wake_address(WaitsFor::condition, condition, 1);
  return 0;
}

REPLACE int pthread_cond_broadcast(pthread_cond_t * condition) noexcept
{
  if (!is_on()) {
    return REAL_VERSION(pthread_cond_broadcast, "GLIBC_2.3.2")(condition);
  }
  wake_address(WaitsFor::condition, condition, SIZE_MAX);
  return 0;
}
