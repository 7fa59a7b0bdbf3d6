#ifndef LIBC__WAITS_HPP_
#define LIBC__WAITS_HPP_

#include <atomic>
#include <cstddef>

#include "../process/run.hpp"
#include "../process/start.hpp"
#include "times.hpp"

namespace rmw_lockstep
{

/// Wait for an address, until a deadline if there is one.
inline Woken wait_for_address(
  WaitsFor what, const void * address, const std::int64_t * deadline, bool is_interruptible = false)
{
  Run & run = rmw_lockstep::run();
  Held held(run.scheduler.lock);
  Wait wait;
  wait.what = what;
  wait.address = address;
  wait.interruptible = is_interruptible;
  if (deadline != nullptr) {
    wait.deadline_ns = *deadline;
  }
  return run.scheduler.wait(held, wait);
}

/// Wake who waits for an address; returns how many.
inline std::size_t wake_address(WaitsFor what, const void * address, std::size_t most)
{
  Run & run = rmw_lockstep::run();
  if (run.scheduler.lock.is_mine()) {
    return 0;  // in a handler of a signal that has interrupted this library, at the very end
  }
  Held held(run.scheduler.lock);
  if (run.scheduler.waiting().empty()) {
    return 0;
  }
  const std::size_t count = run.scheduler.wake_waiting(what, address, most);
  run.scheduler.let_run();
  return count;
}

/// Python has read a clock to take a lock: that is no reading of the node's.
inline void forget_reading_of_python()
{
  if (is_python() && !run().scheduler.lock.is_mine()) {
    const Held held(run().scheduler.lock);
    run().clock.take_back_reading(thread_id());
  }
}

/// How many threads wait for locks: mostly none, so that nobody need be looked for.
inline std::atomic<int> waiting_for_locks{0};

/// Take a lock by a function that tries to, waiting for its address meanwhile; ETIMEDOUT if the
/// deadline comes before.
template <typename Try>
int take_lock(const void * address, const std::int64_t * deadline, Try try_lock)
{
  for (;;) {
    const int result = try_lock();
    if (result != EBUSY) {
      return result;
    }
    ++waiting_for_locks;
    const Woken woken = wait_for_address(WaitsFor::lock, address, deadline);
    --waiting_for_locks;
    if (woken == Woken::by_deadline) {
      return ETIMEDOUT;
    }
  }
}

/// A lock was given back: who waits for it may try again.
inline void lock_is_free(const void * address, std::size_t most)
{
  if (waiting_for_locks.load(std::memory_order_relaxed) > 0) {
    wake_address(WaitsFor::lock, address, most);
  }
}

}  // namespace rmw_lockstep

#endif  // LIBC__WAITS_HPP_
