/// Threads run one at a time, from their beginning to their end.

#include <pthread.h>
#include <sched.h>

#include <cerrno>
#include <memory>

#include "../process/real.hpp"
#include "waits.hpp"

using namespace rmw_lockstep;

namespace
{

/// So many yields in a row with nobody to yield to are busy waiting, which takes time.
constexpr int BUSY_YIELDS = 100;

struct Beginning
{
  void * (*function)(void *);
  void * argument;
  Thread * thread;
};

void * begin(void * given)
{
  const std::unique_ptr<Beginning> beginning(static_cast<Beginning *>(given));
  {
    Held held(run().scheduler.lock);
    run().scheduler.begin_thread(held, *beginning->thread);
  }
  mark_thread();
  return beginning->function(beginning->argument);
}

}  // namespace

REPLACE int pthread_create(
  pthread_t * handle, const pthread_attr_t * attributes, void * (*function)(void *),
  void * argument) noexcept
{
  if (!is_on()) {
    return REAL(pthread_create)(handle, attributes, function, argument);
  }
  Scheduler & scheduler = run().scheduler;
  int detached = PTHREAD_CREATE_JOINABLE;
  if (attributes != nullptr) {
    pthread_attr_getdetachstate(attributes, &detached);
  }
  Thread * thread = nullptr;
  {
    Held held(scheduler.lock);
    scheduler.take_turn(held);
    thread = &scheduler.add_thread();
    thread->is_detached = detached == PTHREAD_CREATE_DETACHED;
  }
  auto beginning = std::make_unique<Beginning>(Beginning{function, argument, thread});
  const int error = REAL(pthread_create)(handle, attributes, begin, beginning.get());
  Held held(scheduler.lock);
  if (error != 0) {
    scheduler.remove_thread(*thread);
    return error;
  }
  beginning.release();
  thread->handle = *handle;
  thread->has_handle = true;
  return 0;
}

REPLACE int pthread_join(pthread_t handle, void ** result)
{
  if (is_on()) {
    Scheduler & scheduler = run().scheduler;
    Held held(scheduler.lock);
    Thread * thread = scheduler.thread_of(handle);
    if (thread != nullptr && thread != &scheduler.this_thread()) {
      while (!thread->has_ended) {
        Wait wait;
        wait.what = WaitsFor::end_of_thread;
        wait.address = thread;
        scheduler.wait(held, wait);
      }
      scheduler.remove_thread(*thread);
    }
  }
  return REAL(pthread_join)(handle, result);
}

REPLACE int pthread_detach(pthread_t handle) noexcept
{
  if (is_on()) {
    Scheduler & scheduler = run().scheduler;
    Held held(scheduler.lock);
    Thread * thread = scheduler.thread_of(handle);
    if (thread != nullptr) {
      thread->is_detached = true;
      if (thread->has_ended) {
        scheduler.remove_thread(*thread);
      }
    }
  }
  return REAL(pthread_detach)(handle);
}

REPLACE int sched_yield() noexcept
{
  if (!is_on()) {
    return REAL(sched_yield)();
  }
  static thread_local int in_vain = 0;
  Scheduler & scheduler = run().scheduler;
  Held held(scheduler.lock);
  scheduler.take_turn(held);
  if (scheduler.others_are_ready()) {
    in_vain = 0;
    scheduler.yield(held);
  } else if (++in_vain >= BUSY_YIELDS) {
    in_vain = 0;
    Wait wait;
    wait.what = WaitsFor::time;
    wait.deadline_ns = run().clock.now_ns() + BUSY_NS;
    scheduler.wait(held, wait);
  }
  return 0;
}
