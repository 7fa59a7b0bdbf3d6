#include "watcher.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "harness.hpp"
#include "passing_time.hpp"
#include "real.hpp"
#include "run.hpp"

namespace rmw_lockstep
{

namespace
{

constexpr long PERIOD_NS = 20000000;
/// So often in a row a thread must be seen asleep in the same wait,
constexpr int PATIENCE = 3;
/// and so often where it may wait for a child that is at work.
constexpr int CHILD_PATIENCE = 100;
/// A node that has not ended so long after the end is killed.
constexpr std::int64_t LAST_PATIENCE_NS = 20000000000;

/// What a file of /proc/self/task/ID holds; empty if the thread is gone.
std::string of_task(int id, const char * file)
{
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/%s", id, file);
  const long descriptor = raw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return {};
  }
  char bytes[512];
  const long size = raw_syscall(SYS_read, descriptor, bytes, sizeof bytes);
  raw_syscall(SYS_close, descriptor);
  return std::string(bytes, size > 0 ? static_cast<std::size_t>(size) : 0);
}

/// Whether the kernel says that it sleeps, and may be woken by a signal.
bool sleeps(int id)
{
  const std::string stat = of_task(id, "stat");
  const std::size_t name = stat.rfind(')');
  return name != std::string::npos && name + 2 < stat.size() && stat[name + 2] == 'S';
}

/// What a thread waits for in a system call; empty if that needs no control, because it comes from
/// within, or is a signal.
std::string waits_for(const std::string & call)
{
  long number = -1;
  if (std::sscanf(call.c_str(), "%ld", &number) != 1) {
    return "something unknown";
  }
  switch (number) {
    case SYS_futex:
    case SYS_rt_sigtimedwait:
    case SYS_rt_sigsuspend:
#ifdef SYS_pause
    case SYS_pause:
#endif
      return {};
    case SYS_wait4:
    case SYS_waitid:
      return WAITS_FOR_CHILDREN;
    case SYS_read:
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_accept:
    case SYS_accept4:
      return "input from outside (a socket, pipe or device)";
    case SYS_write:
    case SYS_writev:
    case SYS_sendto:
    case SYS_sendmsg:
      return "somebody to read what it writes";
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
      return "the time of the kernel";
    default:
      return "system call " + std::to_string(number);
  }
}

void * watch(void *)
{
  Run & run = rmw_lockstep::run();
  std::uint64_t turns = 0;
  std::string call;
  int seen = 0;
  for (;;) {
    const timespec period{0, PERIOD_NS};
    raw_syscall(SYS_nanosleep, &period, nullptr);
    Held held(run.scheduler.lock);
    if (run.has_ended) {
      if (real_now_ns() - run.real_end_ns > LAST_PATIENCE_NS || run.link.has_hung_up()) {
        raw_syscall(SYS_kill, raw_syscall(SYS_getpid), SIGKILL);
      }
    } else if (run.link.is_open() && run.link.has_hung_up()) {
      give_up("the harness is gone");
    }
    const Thread * running = run.scheduler.running();
    if (running == nullptr || running->id == 0) {
      continue;
    }
    std::string now = of_task(running->id, "syscall");
    if (!sleeps(running->id)) {
      seen = 0;
      continue;
    }
    if (run.scheduler.turns() != turns || now != call || seen == 0) {
      turns = run.scheduler.turns();
      call = std::move(now);
      seen = 1;
      continue;
    }
    const std::string what = waits_for(call);
    if (++seen < (what == WAITS_FOR_CHILDREN ? CHILD_PATIENCE : PATIENCE)) {
      continue;
    }
    seen = 0;
    if (what == WAITS_FOR_CHILDREN) {
      tell_uncontrolled(what);
    } else if (!what.empty()) {
      tell_uncontrolled("a thread waits for " + what);
    }
    run.scheduler.pass_over_running(held);
  }
  return nullptr;
}

}  // namespace

void start_watcher()
{
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  REAL(pthread_create)(&thread, &attributes, watch, nullptr);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace rmw_lockstep
