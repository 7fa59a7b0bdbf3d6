/// Mutexes, read-write locks and spin locks: they stay the C library's, but who has to wait gives
/// its turn away.

#include <pthread.h>

#include <cerrno>
#include <cstdint>

#include "../process/real.hpp"
#include "waits.hpp"

using namespace rmw_lockstep;

namespace
{

int try_mutex(pthread_mutex_t * mutex) { return REAL(pthread_mutex_trylock)(mutex); }

int take_mutex(pthread_mutex_t * mutex, const std::int64_t * deadline)
{
  return take_lock(mutex, deadline, [mutex] { return try_mutex(mutex); });
}

int take_for_reading(pthread_rwlock_t * lock, const std::int64_t * deadline)
{
  return take_lock(lock, deadline, [lock] { return REAL(pthread_rwlock_tryrdlock)(lock); });
}

int take_for_writing(pthread_rwlock_t * lock, const std::int64_t * deadline)
{
  return take_lock(lock, deadline, [lock] { return REAL(pthread_rwlock_trywrlock)(lock); });
}

}  // namespace

REPLACE int pthread_mutex_lock(pthread_mutex_t * mutex) noexcept
{
  return is_on() ? take_mutex(mutex, nullptr) : REAL(pthread_mutex_lock)(mutex);
}

REPLACE int pthread_mutex_clocklock(
  pthread_mutex_t * mutex, clockid_t clock, const timespec * time) noexcept
{
  if (!is_on()) {
    return REAL(pthread_mutex_clocklock)(mutex, clock, time);
  }
  const std::int64_t deadline = deadline_of(clock, *time);
  return take_mutex(mutex, &deadline);
}

REPLACE int pthread_mutex_timedlock(pthread_mutex_t * mutex, const timespec * time) noexcept
{
  if (!is_on()) {
    return REAL(pthread_mutex_timedlock)(mutex, time);
  }
  return pthread_mutex_clocklock(mutex, CLOCK_REALTIME, time);
}

REPLACE int pthread_mutex_unlock(pthread_mutex_t * mutex) noexcept
{
  const int result = REAL(pthread_mutex_unlock)(mutex);
  if (is_on()) {
    lock_is_free(mutex, 1);
  }
  return result;
}

REPLACE int pthread_rwlock_rdlock(pthread_rwlock_t * lock) noexcept
{
  return is_on() ? take_for_reading(lock, nullptr) : REAL(pthread_rwlock_rdlock)(lock);
}

REPLACE int pthread_rwlock_wrlock(pthread_rwlock_t * lock) noexcept
{
  return is_on() ? take_for_writing(lock, nullptr) : REAL(pthread_rwlock_wrlock)(lock);
}

REPLACE int pthread_rwlock_clockrdlock(
  pthread_rwlock_t * lock, clockid_t clock, const timespec * time) noexcept
{
  if (!is_on()) {
    return REAL(pthread_rwlock_clockrdlock)(lock, clock, time);
  }
  const std::int64_t deadline = deadline_of(clock, *time);
  return take_for_reading(lock, &deadline);
}

REPLACE int pthread_rwlock_clockwrlock(
  pthread_rwlock_t * lock, clockid_t clock, const timespec * time) noexcept
{
  if (!is_on()) {
    return REAL(pthread_rwlock_clockwrlock)(lock, clock, time);
  }
  const std::int64_t deadline = deadline_of(clock, *time);
  return take_for_writing(lock, &deadline);
}

REPLACE int pthread_rwlock_timedrdlock(pthread_rwlock_t * lock, const timespec * time) noexcept
{
  if (!is_on()) {
    return REAL(pthread_rwlock_timedrdlock)(lock, time);
  }
  return pthread_rwlock_clockrdlock(lock, CLOCK_REALTIME, time);
}

REPLACE int pthread_rwlock_timedwrlock(pthread_rwlock_t * lock, const timespec * time) noexcept
{
  if (!is_on()) {
    return REAL(pthread_rwlock_timedwrlock)(lock, time);
  }
  return pthread_rwlock_clockwrlock(lock, CLOCK_REALTIME, time);
}

REPLACE int pthread_spin_lock(pthread_spinlock_t * lock) noexcept
{
  if (!is_on()) {
    return REAL(pthread_spin_lock)(lock);
  }
  // Where its owner would have to be waited for, that has given its turn away.
  void * const address = const_cast<int *>(lock);
  return take_lock(address, nullptr, [lock] { return REAL(pthread_spin_trylock)(lock); });
}

REPLACE int pthread_spin_unlock(pthread_spinlock_t * lock) noexcept
{
  const int result = REAL(pthread_spin_unlock)(lock);
  if (is_on()) {
    lock_is_free(const_cast<int *>(lock), 1);
  }
  return result;
}

REPLACE int pthread_rwlock_unlock(pthread_rwlock_t * lock) noexcept
{
  const int result = REAL(pthread_rwlock_unlock)(lock);
  if (is_on()) {
    lock_is_free(lock, SIZE_MAX);
  }
  return result;
}
