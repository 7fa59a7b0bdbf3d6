#include "lockstep/schedule.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace lockstep
{

Schedule::Schedule(std::vector<std::int64_t> periods_ns)
: periods_ns_(std::move(periods_ns)), dues_ns_(periods_ns_.size(), 0)
{
}

std::optional<std::int64_t> Schedule::next_due_ns() const
{
  if (now_ns_ == 0 || dues_ns_.empty()) {
    return std::nullopt;
  }
  return *std::min_element(dues_ns_.begin(), dues_ns_.end());
}

void Schedule::start(std::int64_t now_ns)
{
  std::transform(
    periods_ns_.begin(), periods_ns_.end(), dues_ns_.begin(),
    [now_ns](std::int64_t period_ns) { return now_ns + period_ns; });
}

}  // namespace lockstep
