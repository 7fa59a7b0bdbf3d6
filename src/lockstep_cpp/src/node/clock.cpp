#include "clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

#include "lockstep/time.hpp"

namespace lockstep
{

void Clock::use_sim_time(bool enabled)
{
  if (enabled == sim_time()) {
    return;
  }
  if (enabled) {
    subscription_.emplace(
      node_, rosidl_typesupport_cpp::get_message_type_support_handle<rosgraph_msgs::msg::Clock>(),
      "/clock", to_rmw({Reliability::best_effort, Durability::volatile_, 1}));
  } else {
    subscription_.reset();
  }
}

std::int64_t Clock::now_ns() const
{
  if (subscription_) {
    return sim_time_ns_;
  }
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
           std::chrono::system_clock::now().time_since_epoch())
    .count();
}

void Clock::update()
{
  if (subscription_) {
    while (subscription_->take(&message_)) {
      sim_time_ns_ = stamp_ns(message_.clock);
    }
  }
}

std::optional<std::chrono::nanoseconds> Clock::until(std::optional<std::int64_t> due_ns) const
{
  if (subscription_ || !due_ns) {
    return std::nullopt;
  }
  return std::chrono::nanoseconds(*due_ns - now_ns());
}

}  // namespace lockstep
