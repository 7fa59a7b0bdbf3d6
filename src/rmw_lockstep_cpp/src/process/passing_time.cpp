#include "passing_time.hpp"

#include <time.h>

#include <algorithm>

#include "real.hpp"
#include "run.hpp"

namespace rmw_lockstep
{

std::int64_t real_now_ns()
{
  timespec now{};
  REAL(clock_gettime)(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

std::int64_t next_deadline_ns(const Run & run)
{
  const Thread * first = run.scheduler.earliest();
  const std::int64_t thread_ns = first == nullptr ? FOREVER : first->wait.deadline_ns;
  return std::min(thread_ns, run.timers.earliest_ns());
}

void expire_next(Run & run)
{
  Thread * first = run.scheduler.earliest();
  const std::int64_t timer_ns = run.timers.earliest_ns();
  if (first == nullptr || timer_ns < first->wait.deadline_ns) {
    run.clock.step_to(timer_ns);
    run.timers.fire(timer_ns);
    return;
  }
  run.clock.step_to(first->wait.deadline_ns);
  run.scheduler.wake(*first, Woken::by_deadline);
}

void spend_cost(Held & held)
{
  Run & run = rmw_lockstep::run();
  if (run.cost_ns == 0 || run.has_ended) {
    return;
  }
  Wait wait;
  wait.what = WaitsFor::time;
  wait.deadline_ns = run.clock.now_ns() + run.cost_ns;
  run.scheduler.wait(held, wait);
}

void let_time_pass(Held & held)
{
  Run & run = rmw_lockstep::run();
  if (!run.clock.has_passed_by_reading()) {
    return;
  }
  while (next_deadline_ns(run) <= run.clock.now_ns()) {
    expire_next(run);
  }
  run.scheduler.yield(held);
}

std::int64_t read_clock()
{
  Run & run = rmw_lockstep::run();
  if (run.scheduler.lock.is_mine()) {
    return run.clock.now_ns();  // in a signal handler
  }
  Held held(run.scheduler.lock);
  if (run.has_ended) {
    run.clock.step_to(run.end_ns + real_now_ns() - run.real_end_ns);
  }
  const std::int64_t read_ns = run.clock.read(thread_id());
  let_time_pass(held);
  return read_ns;
}

std::int64_t run_time()
{
  Run & run = rmw_lockstep::run();
  Held held(run.scheduler.lock);
  return run.clock.now_ns();
}

}  // namespace rmw_lockstep
