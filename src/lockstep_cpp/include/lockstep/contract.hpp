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
  std::string name;
  /// Before remapping.
  std::string topic;
  /// Such as "geometry_msgs/msg/Vector3Stamped".
  std::string type;
  /// The RIHS01 hash of the message as it was built (REP 2016); none where it is not known.
  std::optional<std::string> type_hash;
  QoS qos;
};

/// A parameter; its type is that of its default.
struct ParameterContract
{
  std::string name;
  ParameterValue default_value;
  std::string description;
  ParameterLimits limits;
};

/// A timer on the run's time.
struct TimerContract
{
  std::string name;
  std::int64_t period_ns;
};

/// A component's ports, parameters and timers as data, in the order of declaration.
/// Every implementation of a component has the same.
struct Contract
{
  std::string component;
  std::vector<PortContract> inputs;
  std::vector<PortContract> outputs;
  std::vector<ParameterContract> parameters;
  std::vector<TimerContract> timers;
};

/// The version of the JSON.
inline constexpr std::int64_t CONTRACT_VERSION = 2;

/// What a component promises to the graph.
/// \param class_name the component's class without its namespace
Contract contract_of(const std::string & class_name, const Component & component);

/// The contract as JSON, byte for byte as Python's json.dumps(…, indent=2) writes it.
std::string to_json(const Contract & contract);

}  // namespace lockstep

#endif  // LOCKSTEP__CONTRACT_HPP_
