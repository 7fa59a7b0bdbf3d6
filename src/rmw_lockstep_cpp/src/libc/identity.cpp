/// What a process knows of itself and its machine: always the same.

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <cerrno>

#include "../process/harness.hpp"
#include "../process/real.hpp"
#include "../process/run.hpp"
#include "../process/start.hpp"

using namespace rmw_lockstep;

namespace
{

void set_processors(std::size_t size, cpu_set_t * processors)
{
  CPU_ZERO_S(size, processors);
  for (int i = 0; i < PROCESSORS; ++i) {
    CPU_SET_S(static_cast<std::size_t>(i), size, processors);
  }
}

}  // namespace

REPLACE pid_t getpid() noexcept { return is_on() ? PROCESS_ID : real_process_id(); }

REPLACE int kill(pid_t process, int signal) noexcept
{
  return REAL(kill)(is_on() && process == PROCESS_ID ? real_process_id() : process, signal);
}

REPLACE long sysconf(int name) noexcept
{
  if (is_on() && (name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF)) {
    return PROCESSORS;
  }
  return REAL(sysconf)(name);
}

REPLACE int get_nprocs() noexcept { return is_on() ? PROCESSORS : REAL(get_nprocs)(); }

REPLACE int get_nprocs_conf() noexcept { return is_on() ? PROCESSORS : REAL(get_nprocs_conf)(); }

REPLACE int sched_getaffinity(pid_t process, std::size_t size, cpu_set_t * processors) noexcept
{
  const int result = REAL(sched_getaffinity)(process == PROCESS_ID ? 0 : process, size, processors);
  if (is_on() && result == 0) {
    set_processors(size, processors);
  }
  return result;
}

REPLACE int pthread_getaffinity_np(
  pthread_t thread, std::size_t size, cpu_set_t * processors) noexcept
{
  const int result = REAL(pthread_getaffinity_np)(thread, size, processors);
  if (is_on() && result == 0) {
    set_processors(size, processors);
  }
  return result;
}

REPLACE void _exit(int code)
{
  if (is_on() && !run().scheduler.lock.is_mine()) {
    Held held(run().scheduler.lock);
    end_by_itself(code);
  }
  for (;;) {
    raw_syscall(SYS_exit_group, code);
  }
}

REPLACE void _Exit(int code) { _exit(code); }
