#ifndef LOCKSTEP__QOS_HPP_
#define LOCKSTEP__QOS_HPP_

#include <cstddef>

namespace lockstep
{

/// Whether every message must arrive.
enum class Reliability
{
  reliable,
  best_effort
};

/// Whether a late subscriber still gets the last messages. (`volatile` is a C++ keyword.)
enum class Durability
{
  volatile_,
  transient_local
};

/// Quality of service of a port. The history is always KEEP_LAST.
struct QoS
{
  /// Whether every message must arrive.
  Reliability reliability = Reliability::reliable;
  /// Whether a late subscriber still gets the last messages.
  Durability durability = Durability::volatile_;
  /// How many messages wait in a queue; a newer one takes the place of the oldest.
  std::size_t depth = 10;
};

/// What ROS 2 drivers use for high-rate sensors.
inline constexpr QoS SENSOR_DATA{Reliability::best_effort, Durability::volatile_, 5};

/// The policy's name as in the contract: "reliable" or "best_effort".
constexpr const char * to_string(Reliability reliability)
{
  return reliability == Reliability::reliable ? "reliable" : "best_effort";
}

/// The policy's name as in the contract: "volatile" or "transient_local".
constexpr const char * to_string(Durability durability)
{
  return durability == Durability::volatile_ ? "volatile" : "transient_local";
}

}  // namespace lockstep

#endif  // LOCKSTEP__QOS_HPP_
