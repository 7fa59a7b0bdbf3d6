#ifndef LOCKSTEP__CONTRACT_HPP_
#define LOCKSTEP__CONTRACT_HPP_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lockstep/component.hpp"

namespace lockstep
{

/// An input or output.
struct PortContract
{
  /// The name in the component.
  std::string name;
  /// Before remapping.
  std::string topic;
  /// Such as "geometry_msgs/msg/Vector3Stamped".
  std::string type;
  /// The RIHS01 hash of the message as it was built (REP 2016); none where it is not known.
  std::optional<std::string> type_hash;
  /// What it offers or requests.
  QoS qos;
};

/// A parameter; its type is that of its default.
struct ParameterContract
{
  /// The ROS name.
  std::string name;
  /// The value where none is given.
  ParameterValue default_value;
  /// For people; no part of the promise.
  std::string description;
  /// Its range, and whether it is read-only.
  ParameterLimits limits;
};

/// A timer on the run's time.
struct TimerContract
{
  /// The name in the component.
  std::string name;
  /// In ns of the run's time.
  std::int64_t period_ns;
};

/// A component's ports, parameters and timers as data, in the order of declaration.
/// Every implementation of a component has the same.
struct Contract
{
  /// The class without its namespace.
  std::string component;
  /// The topics it listens to.
  std::vector<PortContract> inputs;
  /// The topics it publishes.
  std::vector<PortContract> outputs;
  /// The values that are set from outside.
  std::vector<ParameterContract> parameters;
  /// The calls at a fixed rate.
  std::vector<TimerContract> timers;
};

/// The version of the JSON.
inline constexpr std::int64_t CONTRACT_VERSION = 2;

/// What a component promises to the graph.
/// \param class_name the component's class without its namespace
/// \param component an object of that class
Contract contract_of(const std::string & class_name, const Component & component);

/// The contract as JSON, byte for byte as Python's json.dumps(…, indent=2) writes it.
std::string to_json(const Contract & contract);

}  // namespace lockstep

#endif  // LOCKSTEP__CONTRACT_HPP_
