#ifndef HOST__CALLBACK_TIMES_HPP_
#define HOST__CALLBACK_TIMES_HPP_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace lockstep
{

/// The wall times in ns that one callback took, call by call; at most 4.29 s each.
class CallbackTimes
{
public:
  void add(std::chrono::nanoseconds duration)
  {
    constexpr std::int64_t LONGEST = std::numeric_limits<std::uint32_t>::max();
    times_ns_.push_back(
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration.count(), 0, LONGEST)));
  }

  const std::vector<std::uint32_t> & values() const { return times_ns_; }

private:
  std::vector<std::uint32_t> times_ns_;
};

}  // namespace lockstep

#endif  // HOST__CALLBACK_TIMES_HPP_
