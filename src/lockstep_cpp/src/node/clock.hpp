#ifndef NODE__CLOCK_HPP_
#define NODE__CLOCK_HPP_

#include <chrono>
#include <cstdint>
#include <optional>

#include "node.hpp"
#include "rosgraph_msgs/msg/clock.hpp"
#include "topics.hpp"

namespace lockstep
{

/// The ROS clock of the node: system time, or with use_sim_time the last /clock.
class Clock
{
public:
  explicit Clock(Node & node) : node_(node) {}

  bool sim_time() const { return subscription_.has_value(); }
  void use_sim_time(bool enabled);

  /// Nanoseconds since the epoch; 0 as long as no /clock has arrived.
  std::int64_t now_ns() const;

  /// Read the messages of /clock that have arrived.
  void update();

  /// The subscription to /clock, or nullptr without use_sim_time.
  const Subscription * subscription() const { return subscription_ ? &*subscription_ : nullptr; }

  /// How long to sleep so as to wake at `due_ns`; nothing if only /clock can tell.
  std::optional<std::chrono::nanoseconds> until(std::optional<std::int64_t> due_ns) const;

private:
  Node & node_;
  std::optional<Subscription> subscription_;
  rosgraph_msgs::msg::Clock message_;
  std::int64_t sim_time_ns_ = 0;
};

}  // namespace lockstep

#endif  // NODE__CLOCK_HPP_
