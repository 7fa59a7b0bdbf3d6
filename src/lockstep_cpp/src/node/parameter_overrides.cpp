#include "parameter_overrides.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "check.hpp"
#include "lockstep/host/errors.hpp"
#include "rcl_interfaces/msg/parameter_type.hpp"
#include "rcl_yaml_param_parser/parser.h"

namespace lockstep
{

namespace
{

using rcl_interfaces::msg::ParameterType;
using Tokens = std::vector<std::string>;

/// The parts of a name between slashes.
Tokens tokens_of(const std::string & name)
{
  Tokens tokens;
  std::istringstream stream(name[0] == '/' ? name.substr(1) : name);
  for (std::string token; std::getline(stream, token, '/');) {
    tokens.push_back(token);
  }
  return tokens;
}

bool may_be_in_pattern(const std::string & token)
{
  return token == "*" || token == "**" || std::all_of(token.begin(), token.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
         });
}

/// A value of the command line or of a parameter file, in the same form as in a service request.
rcl_interfaces::msg::ParameterValue override_msg(const rcl_variant_t & variant)
{
  rcl_interfaces::msg::ParameterValue msg;
  if (variant.bool_value) {
    msg.type = ParameterType::PARAMETER_BOOL;
    msg.bool_value = *variant.bool_value;
  } else if (variant.integer_value) {
    msg.type = ParameterType::PARAMETER_INTEGER;
    msg.integer_value = *variant.integer_value;
  } else if (variant.double_value) {
    msg.type = ParameterType::PARAMETER_DOUBLE;
    msg.double_value = *variant.double_value;
  } else if (variant.string_value) {
    msg.type = ParameterType::PARAMETER_STRING;
    msg.string_value = variant.string_value;
  } else if (const auto * bytes = variant.byte_array_value) {
    msg.type = ParameterType::PARAMETER_BYTE_ARRAY;
    msg.byte_array_value.assign(bytes->values, bytes->values + bytes->size);
  } else if (const auto * bools = variant.bool_array_value) {
    msg.type = ParameterType::PARAMETER_BOOL_ARRAY;
    msg.bool_array_value.assign(bools->values, bools->values + bools->size);
  } else if (const auto * integers = variant.integer_array_value) {
    msg.type = ParameterType::PARAMETER_INTEGER_ARRAY;
    msg.integer_array_value.assign(integers->values, integers->values + integers->size);
  } else if (const auto * doubles = variant.double_array_value) {
    msg.type = ParameterType::PARAMETER_DOUBLE_ARRAY;
    msg.double_array_value.assign(doubles->values, doubles->values + doubles->size);
  } else if (const auto * strings = variant.string_array_value) {
    msg.type = ParameterType::PARAMETER_STRING_ARRAY;
    msg.string_array_value.assign(strings->data, strings->data + strings->size);
  }
  return msg;
}

}  // namespace

bool matches(const std::string & pattern, const std::string & node)
{
  const Tokens wanted = tokens_of(pattern);
  const Tokens tokens = tokens_of(node);
  if (!std::all_of(wanted.begin(), wanted.end(), may_be_in_pattern)) {
    throw UsageError("a parameter file has settings for '" + pattern + "', which is no node name");
  }
  // What follows the last "**" is tried at every place behind it; what is before has matched for
  // good.
  std::size_t at = 0;
  std::size_t token = 0;
  std::optional<std::size_t> any;
  std::size_t any_until = 0;
  while (token < tokens.size()) {
    if (at < wanted.size() && wanted[at] == "**") {
      any = at++;
      any_until = token;
    } else if (at < wanted.size() && (wanted[at] == "*" || wanted[at] == tokens[token])) {
      ++at;
      ++token;
    } else if (any) {
      at = *any + 1;
      token = ++any_until;
    } else {
      return false;
    }
  }
  return std::all_of(
    wanted.begin() + static_cast<std::ptrdiff_t>(at), wanted.end(),
    [](const std::string & rest) { return rest == "**"; });
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
      overrides[params.parameter_names[j]] = override_msg(params.parameter_values[j]);
    }
  }
  return overrides;
}

}  // namespace lockstep
