#include "timers.hpp"

#include <sys/syscall.h>

#include <algorithm>

#include "real.hpp"

namespace rmw_lockstep
{

Timer * Timers::find(int descriptor)
{
  const auto found = timers_.find(descriptor);
  return found == timers_.end() ? nullptr : &found->second;
}

std::int64_t Timers::earliest_ns() const
{
  std::int64_t earliest = FOREVER;
  for (const auto & [descriptor, timer] : timers_) {
    earliest = std::min(earliest, timer.deadline_ns);
  }
  return earliest;
}

void Timers::fire(std::int64_t now_ns)
{
  for (auto & [descriptor, timer] : timers_) {
    if (timer.deadline_ns > now_ns) {
      continue;
    }
    std::uint64_t times = 1;
    if (timer.period_ns > 0) {
      times += static_cast<std::uint64_t>((now_ns - timer.deadline_ns) / timer.period_ns);
    }
    timer.deadline_ns = timer.period_ns == 0
                          ? FOREVER
                          : timer.deadline_ns + static_cast<std::int64_t>(times) * timer.period_ns;
    raw_syscall(SYS_write, descriptor, &times, sizeof times);
  }
}

}  // namespace rmw_lockstep
