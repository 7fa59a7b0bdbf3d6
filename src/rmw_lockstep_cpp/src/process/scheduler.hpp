#ifndef PROCESS__SCHEDULER_HPP_
#define PROCESS__SCHEDULER_HPP_

#include <pthread.h>

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "clock.hpp"
#include "lock.hpp"
#include "thread.hpp"

namespace rmw_lockstep
{

/// What guards all state of this library while it is held.
using Held = std::unique_lock<Lock>;

/// Lets one thread of the process run at a time, until it waits; the next in turn is the one that
/// has been ready for longest. So there are no races, and the process is quiescent when no thread
/// is ready: then the last one to wait looks for the next event (`next_event`) in the others'
/// stead. All methods want `lock` to be held.
class Scheduler
{
public:
  Lock lock;

  /// The calling thread, which is known from now on.
  Thread & this_thread();

  /// See to it that the calling thread is the one that runs: it is not if it comes back from
  /// outside of the library's control.
  void take_turn(Held & held);

  /// Wait; other threads run meanwhile. Has the caller's turn before and after.
  Woken wait(Held & held, const Wait & wait);

  /// Let those run that are ready, if there are any.
  void yield(Held & held);

  bool others_are_ready() const { return !ready_.empty(); }

  /// The thread is ready to run, and knows why.
  void wake(Thread & thread, Woken why);

  /// Wake the first, or all, that wait for an address; returns how many.
  std::size_t wake_waiting(WaitsFor what, const void * address, std::size_t most);

  /// Let the next in turn run if nobody does: to be called after `wake` by who has no turn.
  void let_run();

  /// Those that wait, the one that has waited for longest first.
  const std::vector<Thread *> & waiting() const { return waiting_; }

  /// Whose deadline comes first; null if nobody has one.
  Thread * earliest() const;

  /// Whether a thread runs or is ready to.
  bool is_busy() const { return running_ != nullptr || !ready_.empty(); }

  /// Call a function as if the calling thread, which looks for events, had its turn.
  template <typename Function>
  void call_as_running(Held & held, Thread & thread, Function function)
  {
    running_ = &thread;
    is_looking_ = false;
    held.unlock();
    function();
    held.lock();
    is_looking_ = true;
    running_ = nullptr;
  }

  /// A thread is about to be started, and is ready from now on.
  Thread & add_thread();
  /// It was not started.
  void remove_thread(Thread & thread);
  /// The calling thread is one that was added; waits for its turn.
  void begin_thread(Held & held, Thread & thread);
  /// The calling thread ends, and gives its turn away.
  void end_thread(Held & held);
  /// The thread of a handle; null for one that is unknown.
  Thread * thread_of(pthread_t handle) const;

  /// How many times the turn has changed.
  std::uint64_t turns() const { return turns_; }
  /// The thread that has its turn.
  Thread * running() const { return running_; }
  /// It waits in the kernel for something that nobody here knows: others may run. The caller, who
  /// has no turn, looks for events if need be.
  void pass_over_running(Held & held);

private:
  void await_turn(Held & held, Thread & thread);
  void keep_running(Held & held);
  bool run_next();
  void give_turn(Thread & thread);

  std::vector<Thread *> threads_;
  std::vector<Thread *> waiting_;
  std::deque<Thread *> ready_;
  Thread * running_ = nullptr;
  bool is_looking_ = false;  ///< somebody looks for the next event
  std::uint64_t turns_ = 0;
};

}  // namespace rmw_lockstep

#endif  // PROCESS__SCHEDULER_HPP_
