#include "kernel_waits.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <vector>

#include "harness.hpp"
#include "passing_time.hpp"
#include "real.hpp"
#include "run.hpp"

namespace rmw_lockstep
{

namespace
{

constexpr std::int64_t CHILD_PATIENCE_NS = 2000000000;

/// The descriptors that threads of this process wait for.
std::vector<pollfd> awaited_descriptors(const Run & run)
{
  std::vector<pollfd> all;
  for (const Thread * thread : run.scheduler.waiting()) {
    if (thread->wait.what == WaitsFor::descriptors) {
      const pollfd * first = thread->wait.descriptors;
      all.insert(all.end(), first, first + thread->wait.descriptor_count);
    }
  }
  return all;
}

/// Wait in the kernel for descriptors, for at most `timeout_ns` if that is not negative; a signal
/// wakes the thread that looks.
void wait_in_kernel(
  Run & run, Held & held, Thread * looking, std::vector<pollfd> & asked, std::int64_t timeout_ns)
{
  asked.push_back({run.stop_looking, POLLIN, 0});
  for (const pollfd & one : awaited_descriptors(run)) {
    asked.push_back(one);
  }
  const timespec timeout{timeout_ns / 1000000000, timeout_ns % 1000000000};
  held.unlock();
  const long result = raw_syscall(
    SYS_ppoll, asked.data(), asked.size(), timeout_ns < 0 ? nullptr : &timeout, nullptr, 0);
  held.lock();
  std::uint64_t count = 0;
  raw_syscall(SYS_read, run.stop_looking, &count, sizeof count);
  const bool is_blocked = looking != nullptr && looking->state == Thread::State::blocked;
  if (result == -EINTR && is_blocked && looking->wait.interruptible) {
    run.scheduler.wake(*looking, Woken::by_signal);
  }
}

bool has_children()
{
  siginfo_t info{};
  return raw_syscall(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT, nullptr) == 0;
}

}  // namespace

bool wake_by_descriptors(Run & run)
{
  for (Thread * thread : run.scheduler.waiting()) {
    if (thread->wait.what != WaitsFor::descriptors || thread->wait.descriptor_count == 0) {
      continue;
    }
    std::vector<pollfd> asked(
      thread->wait.descriptors, thread->wait.descriptors + thread->wait.descriptor_count);
    const timespec now{0, 0};
    if (raw_syscall(SYS_ppoll, asked.data(), asked.size(), &now, nullptr, 0) > 0) {
      run.scheduler.wake(*thread, Woken::by_event);
      return true;
    }
  }
  return false;
}

bool wait_for_children(Run & run, Held & held, Thread * looking)
{
  if (run.has_waited_for_children || awaited_descriptors(run).empty() || !has_children()) {
    return false;
  }
  tell_uncontrolled(WAITS_FOR_CHILDREN);
  std::vector<pollfd> asked;
  const std::int64_t begin_ns = real_now_ns();
  wait_in_kernel(run, held, looking, asked, CHILD_PATIENCE_NS);
  run.has_waited_for_children = real_now_ns() - begin_ns >= CHILD_PATIENCE_NS;
  return true;
}

void wait_for_frame(Run & run, Held & held, Thread * looking)
{
  say_done(run);
  flush(run);
  if (run.link.read_some()) {
    return;
  }
  std::vector<pollfd> asked{{run.link.descriptor(), POLLIN, 0}};
  wait_in_kernel(run, held, looking, asked, -1);
}

void wait_in_real_time(Run & run, Held & held, Thread * looking)
{
  const std::int64_t passed_ns = real_now_ns() - run.real_end_ns;
  run.clock.step_to(run.end_ns + passed_ns);
  const std::int64_t deadline_ns = next_deadline_ns(run);
  std::int64_t timeout_ns = -1;
  if (deadline_ns != FOREVER) {
    timeout_ns = deadline_ns - run.clock.now_ns();
    if (timeout_ns <= 0) {
      return;
    }
  }
  std::vector<pollfd> asked;
  wait_in_kernel(run, held, looking, asked, timeout_ns);
  run.clock.step_to(run.end_ns + real_now_ns() - run.real_end_ns);
}

void stop_looking()
{
  const std::uint64_t one = 1;
  raw_syscall(SYS_write, run().stop_looking, &one, sizeof one);
}

}  // namespace rmw_lockstep
