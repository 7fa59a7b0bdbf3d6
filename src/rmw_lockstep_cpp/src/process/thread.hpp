#ifndef PROCESS__THREAD_HPP_
#define PROCESS__THREAD_HPP_

#include <poll.h>
#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "clock.hpp"

namespace rmw_lockstep
{

struct EntityWait;

/// What a thread can wait for.
enum class WaitsFor : std::uint8_t
{
  nothing,
  entities,  ///< in rmw_wait
  condition,
  lock,
  semaphore,
  futex,
  end_of_thread,
  barrier,
  once,  ///< the end of what is done once
  descriptors,
  time
};

/// What ends a wait.
enum class Woken : std::uint8_t
{
  by_event,
  by_deadline,
  by_signal
};

struct Wait
{
  WaitsFor what = WaitsFor::nothing;
  const void * address = nullptr;      ///< of what it waits for
  std::int64_t deadline_ns = FOREVER;  ///< in the run's time
  bool interruptible = false;          ///< by a signal
  EntityWait * entities = nullptr;
  pollfd * descriptors = nullptr;
  std::size_t descriptor_count = 0;
};

/// A thread of this process.
struct Thread
{
  enum class State : std::uint8_t
  {
    ready,
    running,
    blocked,
    outside  ///< of the library's control: it waits in the kernel, or has just come from there
  };

  State state = State::outside;
  std::atomic<std::uint32_t> baton{0};  ///< a futex: its turn may have come
  Wait wait;
  Woken woken = Woken::by_event;
  int id = 0;  ///< the kernel's
  pthread_t handle{};
  bool has_handle = false;
  bool is_detached = false;
  bool has_ended = false;
};

}  // namespace rmw_lockstep

#endif  // PROCESS__THREAD_HPP_
