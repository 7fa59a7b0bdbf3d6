#include "parameter_overrides.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <regex>
#include <string>

#include "errors.hpp"
#include "parameter_value.hpp"
#include "rcl_yaml_param_parser/parser.h"

namespace lockstep
{

bool matches(const std::string & pattern, const std::string & node)
{
  // As in rclcpp: "/*" is one token of a name, and so "/**" any number of them.
  static const std::regex wildcard(R"(/\*)");
  const std::string absolute = pattern.rfind('/', 0) == 0 ? pattern : '/' + pattern;
  try {
    return std::regex_match(node, std::regex(std::regex_replace(absolute, wildcard, R"((/\w+))")));
  } catch (const std::regex_error &) {
    throw UsageError("a parameter file has settings for '" + pattern + "', which is no node name");
  }
}

std::map<std::string, rcl_interfaces::msg::ParameterValue> parameter_overrides(
  const rcl_arguments_t & arguments, const std::string & node)
{
  rcl_params_t * parsed = nullptr;
  check(rcl_arguments_get_param_overrides(&arguments, &parsed), "reading parameter overrides");
  const std::unique_ptr<rcl_params_t, void (*)(rcl_params_t *)> owner(
    parsed, [](rcl_params_t * params) {
      if (params != nullptr) {
        rcl_yaml_node_struct_fini(params);
      }
    });
  std::map<std::string, rcl_interfaces::msg::ParameterValue> overrides;
  for (std::size_t i = 0; parsed != nullptr && i < parsed->num_nodes; ++i) {
    if (!matches(parsed->node_names[i], node)) {
      continue;
    }
    const rcl_node_params_t & params = parsed->params[i];
    for (std::size_t j = 0; j < params.num_params; ++j) {
      overrides[params.parameter_names[j]] = to_msg(params.parameter_values[j]);
    }
  }
  return overrides;
}

}  // namespace lockstep
