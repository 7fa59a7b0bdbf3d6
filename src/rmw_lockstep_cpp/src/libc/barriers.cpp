/// Barriers, and what is done once: the C library would wait for other threads in the kernel, where
/// nobody sees it.

#include <pthread.h>

#include <cstdint>
#include <map>
#include <mutex>

#include "../process/real.hpp"
#include "waits.hpp"

using namespace rmw_lockstep;

namespace
{

struct Barrier
{
  unsigned threads = 0;  ///< that it waits for
  unsigned arrived = 0;
};

Lock barriers_lock;
std::map<const pthread_barrier_t *, Barrier> barriers;

/// Whether all are there now; then it begins anew.
bool is_complete(const pthread_barrier_t * barrier)
{
  const std::lock_guard<Lock> guard(barriers_lock);
  Barrier & known = barriers[barrier];
  if (++known.arrived < known.threads) {
    return false;
  }
  known.arrived = 0;
  return true;
}

/// A pthread_once_t while its function runs, and then; 0 before, as the C library has it.
constexpr int IS_BEGUN = 1;
constexpr int IS_DONE = 2;

void set_once(pthread_once_t * once, int state)
{
  __atomic_store_n(once, state, __ATOMIC_RELEASE);
  wake_address(WaitsFor::once, once, SIZE_MAX);
}

}  // namespace

REPLACE int pthread_barrier_init(
  pthread_barrier_t * barrier, const pthread_barrierattr_t * attributes, unsigned count) noexcept
{
  const int error = REAL(pthread_barrier_init)(barrier, attributes, count);
  if (error == 0) {
    const std::lock_guard<Lock> guard(barriers_lock);
    barriers[barrier] = Barrier{count};
  }
  return error;
}

REPLACE int pthread_barrier_destroy(pthread_barrier_t * barrier) noexcept
{
  const std::lock_guard<Lock> guard(barriers_lock);
  barriers.erase(barrier);
  return 0;
}

REPLACE int pthread_barrier_wait(pthread_barrier_t * barrier) noexcept
{
  if (!is_on()) {
    return REAL(pthread_barrier_wait)(barrier);
  }
  Scheduler & scheduler = run().scheduler;
  Held held(scheduler.lock);
  scheduler.take_turn(held);
  if (is_complete(barrier)) {
    scheduler.wake_waiting(WaitsFor::barrier, barrier, SIZE_MAX);
    return PTHREAD_BARRIER_SERIAL_THREAD;
  }
  Wait wait;
  wait.what = WaitsFor::barrier;
  wait.address = barrier;
  scheduler.wait(held, wait);
  return 0;
}

REPLACE int pthread_once(pthread_once_t * once, void (*function)())
{
  if (!is_on()) {
    return REAL(pthread_once)(once, function);
  }
  for (int state = 0; (state = __atomic_load_n(once, __ATOMIC_ACQUIRE)) != 0;) {
    if (state == IS_DONE) {
      return 0;
    }
    wait_for_address(WaitsFor::once, once, nullptr);
  }
  __atomic_store_n(once, IS_BEGUN, __ATOMIC_RELEASE);
  try {
    function();
  } catch (...) {
    set_once(once, 0);
    throw;
  }
  set_once(once, IS_DONE);
  return 0;
}
