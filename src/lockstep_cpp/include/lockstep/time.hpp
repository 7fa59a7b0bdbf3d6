#ifndef LOCKSTEP__TIME_HPP_
#define LOCKSTEP__TIME_HPP_

#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string>

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

/// A time in ns as seconds with nine decimals: "12.345000000".
inline std::string seconds(std::int64_t time_ns)
{
  std::array<char, 32> text{};
  std::snprintf(
    text.data(), text.size(), "%" PRId64 ".%09" PRId64, time_ns / 1'000'000'000,
    time_ns % 1'000'000'000);
  return text.data();
}

}  // namespace lockstep

#endif  // LOCKSTEP__TIME_HPP_
