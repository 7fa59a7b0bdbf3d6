#ifndef LOCKSTEP__TIME_HPP_
#define LOCKSTEP__TIME_HPP_

#include <cstdint>

#include "builtin_interfaces/msg/time.hpp"

namespace lockstep
{

/// Nanoseconds since the epoch of a stamp.
inline std::int64_t stamp_ns(const builtin_interfaces::msg::Time & stamp)
{
  return static_cast<std::int64_t>(stamp.sec) * 1'000'000'000 + stamp.nanosec;
}

/// The stamp of a time in nanoseconds since the epoch. Its nanosec is in [0, 1e9) also before 1970.
inline builtin_interfaces::msg::Time to_stamp(std::int64_t ns)
{
  std::int64_t sec = ns / 1'000'000'000;
  std::int64_t nanosec = ns % 1'000'000'000;
  if (nanosec < 0) {
    sec -= 1;
    nanosec += 1'000'000'000;
  }
  builtin_interfaces::msg::Time stamp;
  stamp.sec = static_cast<std::int32_t>(sec);
  stamp.nanosec = static_cast<std::uint32_t>(nanosec);
  return stamp;
}

}  // namespace lockstep

#endif  // LOCKSTEP__TIME_HPP_
