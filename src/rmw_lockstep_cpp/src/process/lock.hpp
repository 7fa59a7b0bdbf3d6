#ifndef PROCESS__LOCK_HPP_
#define PROCESS__LOCK_HPP_

#include <linux/futex.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstdint>

#include "real.hpp"

namespace rmw_lockstep
{

/// A mutual exclusion of the library's own, since the process's are scheduled by it. A signal
/// handler that interrupts its owner is let in, because it could never get it otherwise.
class Lock
{
public:
  void lock()
  {
    std::uint32_t free = 0;
    if (!state_.compare_exchange_strong(free, 1, std::memory_order_acquire)) {
      wait();
    }
    owner_.store(thread_id(), std::memory_order_relaxed);
  }

  void unlock()
  {
    owner_.store(0, std::memory_order_relaxed);
    if (state_.exchange(0, std::memory_order_release) == 2) {
      raw_syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1);
    }
  }

  /// Whether the calling thread has it: then it is in a signal handler.
  bool is_mine() const { return owner_.load(std::memory_order_relaxed) == thread_id(); }

private:
  void wait()
  {
    while (state_.exchange(2, std::memory_order_acquire) != 0) {
      raw_syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, 2, nullptr);
    }
  }

  std::atomic<std::uint32_t> state_{0};  ///< 0: free, 1: taken, 2: taken, and others wait
  std::atomic<int> owner_{0};
};

}  // namespace rmw_lockstep

#endif  // PROCESS__LOCK_HPP_
