#include "parameters.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lockstep/host/parameter_value.hpp"

namespace lockstep_rclcpp
{

namespace
{

rcl_interfaces::msg::ParameterDescriptor descriptor_of(const lockstep::ParameterBase & parameter)
{
  rcl_interfaces::msg::ParameterDescriptor descriptor;
  descriptor.description = parameter.description();
  descriptor.read_only = parameter.limits().read_only;
  lockstep::describe_range(parameter, descriptor);
  return descriptor;
}

using ByName = std::map<std::string, lockstep::ParameterBase *>;

rcl_interfaces::msg::SetParametersResult check(
  const ByName & known, const std::vector<rclcpp::Parameter> & parameters)
{
  rcl_interfaces::msg::SetParametersResult result;
  result.successful = true;
  for (const rclcpp::Parameter & parameter : parameters) {
    const auto found = known.find(parameter.get_name());
    const auto value = lockstep::from_msg(parameter.get_value_message());
    if (found == known.end() || !value) {
      continue;  // not ours, or refused by rclcpp, which knows the type
    }
    const std::string objection = found->second->range_objection(*value);
    if (!objection.empty()) {
      result.successful = false;
      result.reason = "parameter '" + parameter.get_name() + "' " + objection;
      break;
    }
  }
  return result;
}

/// \return whether any of the parameters is the component's
bool apply(const ByName & known, const std::vector<rclcpp::Parameter> & parameters)
{
  bool any = false;
  for (const rclcpp::Parameter & parameter : parameters) {
    const auto found = known.find(parameter.get_name());
    const auto value = lockstep::from_msg(parameter.get_value_message());
    if (found != known.end() && value) {
      found->second->set(*value);
      any = true;
    }
  }
  return any;
}

}  // namespace

Parameters::Parameters(
  rclcpp::Node & node, const lockstep::Component & component, std::function<void()> changed)
{
  ByName known;
  for (lockstep::ParameterBase * parameter : component.parameters()) {
    known.emplace(parameter->name(), parameter);
  }
  // Before the declarations, because overrides are checked like any other value.
  check_ =
    node.add_on_set_parameters_callback([known](const std::vector<rclcpp::Parameter> & parameters) {
      return check(known, parameters);
    });
  for (lockstep::ParameterBase * parameter : component.parameters()) {
    const rclcpp::ParameterValue value = node.declare_parameter(
      parameter->name(),
      std::visit(
        [](const auto & typed) { return rclcpp::ParameterValue(typed); },
        parameter->default_value()),
      descriptor_of(*parameter));
    parameter->set(*lockstep::from_msg(value.to_value_msg()));
  }
  apply_ = node.add_post_set_parameters_callback(
    [known, changed = std::move(changed)](const std::vector<rclcpp::Parameter> & parameters) {
      if (apply(known, parameters)) {
        changed();
      }
    });
}

}  // namespace lockstep_rclcpp
