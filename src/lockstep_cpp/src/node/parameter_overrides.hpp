#ifndef NODE__PARAMETER_OVERRIDES_HPP_
#define NODE__PARAMETER_OVERRIDES_HPP_

#include <map>
#include <string>

#include "rcl/arguments.h"
#include "rcl_interfaces/msg/parameter_value.hpp"

namespace lockstep
{

/// The values that `-p` and `--params-file` give the node, by parameter; of several the last one.
/// \param node the node's fully qualified name; files may match it with the wildcards * and **
std::map<std::string, rcl_interfaces::msg::ParameterValue> parameter_overrides(
  const rcl_arguments_t & arguments, const std::string & node);

/// Whether a node's fully qualified name matches a pattern such as "/**", "/robot/*" or "imu": as
/// in rclcpp, * is one token of a name and ** any number of them.
/// \throws UsageError if the pattern has characters that no node name has
bool matches(const std::string & pattern, const std::string & node);

}  // namespace lockstep

#endif  // NODE__PARAMETER_OVERRIDES_HPP_
