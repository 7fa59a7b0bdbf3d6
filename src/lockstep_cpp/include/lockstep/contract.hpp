#ifndef LOCKSTEP__CONTRACT_HPP_
#define LOCKSTEP__CONTRACT_HPP_

#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/component.hpp"

namespace lockstep
{

struct PortContract
{
  std::string name;
  std::string topic;
  std::string type;
  QoS qos;
};

struct ParameterContract
{
  std::string name;
  ParameterValue default_value;
  std::string description;
};

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

/// \param class_name the component's class without its namespace
Contract contract_of(const std::string & class_name, const Component & component);

/// The contract as JSON (format 1), byte for byte as Python's json.dumps(…, indent=2) writes it.
std::string to_json(const Contract & contract);

}  // namespace lockstep

#endif  // LOCKSTEP__CONTRACT_HPP_
