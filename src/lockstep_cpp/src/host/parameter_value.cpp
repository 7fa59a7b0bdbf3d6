#include "lockstep/host/parameter_value.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rcl_interfaces/msg/parameter_type.hpp"

namespace lockstep
{

using rcl_interfaces::msg::ParameterType;

std::uint8_t to_type(const ParameterValue & value)
{
  static constexpr std::array<std::uint8_t, std::variant_size_v<ParameterValue>> TYPES = {
    ParameterType::PARAMETER_BOOL,         ParameterType::PARAMETER_INTEGER,
    ParameterType::PARAMETER_DOUBLE,       ParameterType::PARAMETER_STRING,
    ParameterType::PARAMETER_BOOL_ARRAY,   ParameterType::PARAMETER_INTEGER_ARRAY,
    ParameterType::PARAMETER_DOUBLE_ARRAY, ParameterType::PARAMETER_STRING_ARRAY};
  return TYPES[value.index()];
}

const char * type_name(std::uint8_t type)
{
  static constexpr std::array<const char *, 10> NAMES = {
    "no value",   "bool",       "integer",       "double",       "string",
    "byte_array", "bool_array", "integer_array", "double_array", "string_array"};
  return type < NAMES.size() ? NAMES[type] : "unknown";
}

rcl_interfaces::msg::ParameterValue to_msg(const ParameterValue & value)
{
  rcl_interfaces::msg::ParameterValue msg;
  msg.type = to_type(value);
  switch (msg.type) {
    case ParameterType::PARAMETER_BOOL:
      msg.bool_value = std::get<bool>(value);
      break;
    case ParameterType::PARAMETER_INTEGER:
      msg.integer_value = std::get<std::int64_t>(value);
      break;
    case ParameterType::PARAMETER_DOUBLE:
      msg.double_value = std::get<double>(value);
      break;
    case ParameterType::PARAMETER_STRING:
      msg.string_value = std::get<std::string>(value);
      break;
    case ParameterType::PARAMETER_BOOL_ARRAY:
      msg.bool_array_value = std::get<std::vector<bool>>(value);
      break;
    case ParameterType::PARAMETER_INTEGER_ARRAY:
      msg.integer_array_value = std::get<std::vector<std::int64_t>>(value);
      break;
    case ParameterType::PARAMETER_DOUBLE_ARRAY:
      msg.double_array_value = std::get<std::vector<double>>(value);
      break;
    case ParameterType::PARAMETER_STRING_ARRAY:
      msg.string_array_value = std::get<std::vector<std::string>>(value);
      break;
  }
  return msg;
}

std::optional<ParameterValue> from_msg(const rcl_interfaces::msg::ParameterValue & msg)
{
  switch (msg.type) {
    case ParameterType::PARAMETER_BOOL:
      return msg.bool_value;
    case ParameterType::PARAMETER_INTEGER:
      return msg.integer_value;
    case ParameterType::PARAMETER_DOUBLE:
      return msg.double_value;
    case ParameterType::PARAMETER_STRING:
      return msg.string_value;
    case ParameterType::PARAMETER_BOOL_ARRAY:
      return msg.bool_array_value;
    case ParameterType::PARAMETER_INTEGER_ARRAY:
      return msg.integer_array_value;
    case ParameterType::PARAMETER_DOUBLE_ARRAY:
      return msg.double_array_value;
    case ParameterType::PARAMETER_STRING_ARRAY:
      return msg.string_array_value;
    default:
      return std::nullopt;
  }
}

void describe_range(
  const ParameterBase & parameter, rcl_interfaces::msg::ParameterDescriptor & descriptor)
{
  const ParameterLimits & limits = parameter.limits();
  if (!limits.minimum && !limits.maximum) {
    return;
  }
  const ParameterValue & value = parameter.default_value();
  if (std::holds_alternative<std::int64_t>(value)) {
    using Numbers = std::numeric_limits<std::int64_t>;
    rcl_interfaces::msg::IntegerRange range;
    range.from_value = std::get<std::int64_t>(limits.minimum.value_or(Numbers::min()));
    range.to_value = std::get<std::int64_t>(limits.maximum.value_or(Numbers::max()));
    descriptor.integer_range.push_back(range);
  } else if (std::holds_alternative<double>(value)) {
    constexpr double INFINITE = std::numeric_limits<double>::infinity();
    rcl_interfaces::msg::FloatingPointRange range;
    range.from_value = std::get<double>(limits.minimum.value_or(-INFINITE));
    range.to_value = std::get<double>(limits.maximum.value_or(INFINITE));
    descriptor.floating_point_range.push_back(range);
  } else {
    descriptor.additional_constraints = range_text(limits) + " in every element";
  }
}

}  // namespace lockstep
