#include "run.hpp"

#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "real.hpp"

namespace rmw_lockstep
{

namespace
{

Run * run_ = nullptr;

}  // namespace

Run::Run(std::int64_t start_ns)
: clock(start_ns),
  stop_looking(static_cast<int>(raw_syscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK))),
  main_thread(static_cast<int>(raw_syscall(SYS_getpid)))
{
}

Run::~Run() { raw_syscall(SYS_close, stop_looking); }

void use(Run & run) { run_ = &run; }

Run & run() { return *run_; }

}  // namespace rmw_lockstep
