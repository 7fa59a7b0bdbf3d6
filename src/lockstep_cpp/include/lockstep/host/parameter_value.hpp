#ifndef LOCKSTEP__HOST__PARAMETER_VALUE_HPP_
#define LOCKSTEP__HOST__PARAMETER_VALUE_HPP_

#include <cstdint>
#include <optional>

#include "lockstep/parameter.hpp"
#include "rcl_interfaces/msg/parameter_descriptor.hpp"
#include "rcl_interfaces/msg/parameter_value.hpp"

namespace lockstep
{

/// The constant of rcl_interfaces/msg/ParameterType for the type of `value`.
std::uint8_t to_type(const ParameterValue & value);

/// The name of a constant of rcl_interfaces/msg/ParameterType: "no value", "bool", …
const char * type_name(std::uint8_t type);

rcl_interfaces::msg::ParameterValue to_msg(const ParameterValue & value);

/// \return nothing for a value that is not set, and for a byte array, which no component has
std::optional<ParameterValue> from_msg(const rcl_interfaces::msg::ParameterValue & msg);

/// Write into the descriptor what it can tell of the limits: the ranges of ROS are for numbers
/// alone.
void describe_range(
  const ParameterBase & parameter, rcl_interfaces::msg::ParameterDescriptor & descriptor);

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__PARAMETER_VALUE_HPP_
