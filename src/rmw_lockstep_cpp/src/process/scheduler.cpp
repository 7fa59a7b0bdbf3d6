#include "scheduler.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>
#include <climits>

#include "events.hpp"
#include "kernel_waits.hpp"
#include "real.hpp"

namespace rmw_lockstep
{

namespace
{

thread_local __attribute__((tls_model("initial-exec"))) Thread * this_thread_ = nullptr;

/// Sleep until its turn may have come; whether a signal was handled meanwhile.
bool sleep_until_turn(Thread & thread)
{
  if (thread.baton.exchange(0, std::memory_order_acquire) != 0) {
    return false;
  }
  const long result =
    raw_syscall(SYS_futex, &thread.baton, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
  thread.baton.store(0, std::memory_order_relaxed);
  return result == -EINTR;
}

template <typename Container>
void erase(Container & threads, const Thread * thread)
{
  const auto found = std::find(threads.begin(), threads.end(), thread);
  if (found != threads.end()) {
    threads.erase(found);
  }
}

}  // namespace

Thread & Scheduler::this_thread()
{
  if (this_thread_ == nullptr) {  // nobody has seen it start
    this_thread_ = new Thread;
    this_thread_->id = thread_id();
    threads_.push_back(this_thread_);
  }
  return *this_thread_;
}

void Scheduler::take_turn(Held & held)
{
  Thread & thread = this_thread();
  if (running_ == &thread || thread.state == Thread::State::blocked) {
    return;  // which is in a signal handler if it is blocked
  }
  thread.state = Thread::State::ready;
  ready_.push_back(&thread);
  await_turn(held, thread);
}

Woken Scheduler::wait(Held & held, const Wait & wait)
{
  take_turn(held);
  Thread & thread = this_thread();
  const bool is_nested = thread.state == Thread::State::blocked;  // see call_as_running
  const Wait outer = thread.wait;
  if (is_nested) {
    erase(waiting_, &thread);
  }
  thread.wait = wait;
  thread.state = Thread::State::blocked;
  waiting_.push_back(&thread);
  if (running_ == &thread) {
    running_ = nullptr;
  }
  await_turn(held, thread);
  const Woken woken = thread.woken;
  if (is_nested) {
    thread.wait = outer;
    thread.state = Thread::State::blocked;
    waiting_.push_back(&thread);
  }
  return woken;
}

void Scheduler::yield(Held & held)
{
  Thread & thread = this_thread();
  if (ready_.empty() || thread.state != Thread::State::running) {
    return;
  }
  thread.state = Thread::State::ready;
  ready_.push_back(&thread);
  running_ = nullptr;
  await_turn(held, thread);
}

void Scheduler::wake(Thread & thread, Woken why)
{
  erase(waiting_, &thread);
  thread.woken = why;
  thread.state = Thread::State::ready;
  ready_.push_back(&thread);
}

std::size_t Scheduler::wake_waiting(WaitsFor what, const void * address, std::size_t most)
{
  std::size_t count = 0;
  for (std::size_t i = 0; i < waiting_.size() && count < most;) {
    Thread & thread = *waiting_[i];
    if (thread.wait.what == what && thread.wait.address == address) {
      wake(thread, Woken::by_event);  // which takes it from the list
      ++count;
    } else {
      ++i;
    }
  }
  return count;
}

void Scheduler::let_run() { run_next(); }

Thread * Scheduler::earliest() const
{
  Thread * first = nullptr;
  for (Thread * thread : waiting_) {
    const std::int64_t deadline_ns = thread->wait.deadline_ns;
    if (deadline_ns != FOREVER && (first == nullptr || deadline_ns < first->wait.deadline_ns)) {
      first = thread;
    }
  }
  return first;
}

Thread & Scheduler::add_thread()
{
  auto * thread = new Thread;
  thread->state = Thread::State::ready;
  threads_.push_back(thread);
  ready_.push_back(thread);
  return *thread;
}

void Scheduler::remove_thread(Thread & thread)
{
  erase(ready_, &thread);
  erase(threads_, &thread);
  delete &thread;
}

void Scheduler::begin_thread(Held & held, Thread & thread)
{
  this_thread_ = &thread;
  thread.id = thread_id();
  await_turn(held, thread);
}

void Scheduler::end_thread(Held & held)
{
  Thread & thread = this_thread();
  thread.has_ended = true;
  wake_waiting(WaitsFor::end_of_thread, &thread, SIZE_MAX);
  if (running_ == &thread) {
    running_ = nullptr;
  }
  erase(ready_, &thread);
  if (thread.is_detached || !thread.has_handle) {
    erase(threads_, &thread);
    delete &thread;
  }
  this_thread_ = nullptr;
  keep_running(held);
}

Thread * Scheduler::thread_of(pthread_t handle) const
{
  for (Thread * thread : threads_) {
    if (thread->has_handle && pthread_equal(thread->handle, handle) != 0) {
      return thread;
    }
  }
  return nullptr;
}

void Scheduler::pass_over_running(Held & held)
{
  running_->state = Thread::State::outside;
  running_ = nullptr;
  keep_running(held);
}

/// Until it is the thread's turn.
void Scheduler::await_turn(Held & held, Thread & thread)
{
  while (running_ != &thread) {
    if (running_ == nullptr && run_next()) {
      continue;
    }
    if (running_ == nullptr && !is_looking_) {
      is_looking_ = true;
      next_event(held, &thread);
      is_looking_ = false;
      continue;
    }
    held.unlock();
    const bool was_interrupted = sleep_until_turn(thread);
    held.lock();
    if (was_interrupted && thread.state == Thread::State::blocked && thread.wait.interruptible) {
      wake(thread, Woken::by_signal);
    }
  }
}

/// Until a thread runs, or another one looks for the next event.
void Scheduler::keep_running(Held & held)
{
  while (running_ == nullptr && !run_next() && !is_looking_) {
    is_looking_ = true;
    next_event(held, nullptr);
    is_looking_ = false;
  }
}

/// Give the turn to the next that is ready; false if nobody is, or one runs already.
bool Scheduler::run_next()
{
  if (running_ != nullptr || ready_.empty()) {
    return false;
  }
  Thread & next = *ready_.front();
  ready_.pop_front();
  give_turn(next);
  return true;
}

void Scheduler::give_turn(Thread & thread)
{
  thread.state = Thread::State::running;
  running_ = &thread;
  ++turns_;
  if (&thread == this_thread_) {
    return;
  }
  thread.baton.store(1, std::memory_order_release);
  raw_syscall(SYS_futex, &thread.baton, FUTEX_WAKE_PRIVATE, 1);
  if (is_looking_) {
    stop_looking();  // it may be the one that looks
  }
}

}  // namespace rmw_lockstep
