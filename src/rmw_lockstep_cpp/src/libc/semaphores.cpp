/// Semaphores: they count as ever, but who has to wait gives its turn away.

#include <semaphore.h>

#include <cerrno>

#include "../process/real.hpp"
#include "waits.hpp"

using namespace rmw_lockstep;

namespace
{

int take(sem_t * semaphore, const std::int64_t * deadline)
{
  while (REAL(sem_trywait)(semaphore) != 0) {
    if (errno != EAGAIN) {
      return -1;
    }
    const Woken woken = wait_for_address(WaitsFor::semaphore, semaphore, deadline, true);
    if (woken != Woken::by_event) {
      errno = woken == Woken::by_deadline ? ETIMEDOUT : EINTR;
      return -1;
    }
  }
  return 0;
}

}  // namespace

REPLACE int sem_trywait(sem_t * semaphore) noexcept
{
  if (is_on()) {
    forget_reading_of_python();
  }
  return REAL(sem_trywait)(semaphore);
}

REPLACE int sem_wait(sem_t * semaphore)
{
  if (!is_on()) {
    return REAL(sem_wait)(semaphore);
  }
  forget_reading_of_python();
  return take(semaphore, nullptr);
}

REPLACE int sem_clockwait(sem_t * semaphore, clockid_t clock, const timespec * time)
{
  if (!is_on()) {
    return REAL(sem_clockwait)(semaphore, clock, time);
  }
  const std::int64_t deadline = deadline_of(clock, *time);
  return take(semaphore, &deadline);
}

REPLACE int sem_timedwait(sem_t * semaphore, const timespec * time)
{
  if (!is_on()) {
    return REAL(sem_timedwait)(semaphore, time);
  }
  return sem_clockwait(semaphore, CLOCK_REALTIME, time);
}

REPLACE int sem_post(sem_t * semaphore) noexcept
{
  const int result = REAL(sem_post)(semaphore);
  if (is_on() && result == 0) {
    wake_address(WaitsFor::semaphore, semaphore, 1);
  }
  return result;
}
