#include "lockstep/parameter.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "declare.hpp"
#include "json.hpp"
#include "lockstep/component.hpp"

namespace lockstep
{

const char * type_name(const ParameterValue & value)
{
  static constexpr std::array<const char *, std::variant_size_v<ParameterValue>> NAMES = {
    "bool",       "integer",       "double",       "string",
    "bool_array", "integer_array", "double_array", "string_array"};
  return NAMES[value.index()];
}

namespace
{

std::string text(const ParameterValue & number)
{
  if (const auto * integer = std::get_if<std::int64_t>(&number)) {
    return std::to_string(*integer);
  }
  return shortest(std::get<double>(number));
}

/// The bound in the type of the parameter's numbers.
ParameterValue checked_bound(
  const char * noun, const ParameterValue & bound, const ParameterBase & parameter)
{
  const std::string type = type_name(parameter.default_value());
  const std::string of = "the " + std::string(noun) + " of parameter '" + parameter.name() + "' ";
  if (type == "integer" || type == "integer_array") {
    if (std::holds_alternative<std::int64_t>(bound)) {
      return bound;
    }
    throw std::invalid_argument(of + "must be an integer, not " + text(bound));
  }
  if (type == "double" || type == "double_array") {
    const auto * integer = std::get_if<std::int64_t>(&bound);
    const double number =
      integer != nullptr ? static_cast<double>(*integer) : std::get<double>(bound);
    if (std::isnan(number)) {
      throw std::invalid_argument(of + "must be a number, not NaN");
    }
    return number;
  }
  throw std::invalid_argument(of + "must be left out, because it is of type " + type);
}

template <typename Number>
std::string objection(Number number, const ParameterLimits & limits, const char * where)
{
  const bool above = !limits.minimum || number >= std::get<Number>(*limits.minimum);
  const bool below = !limits.maximum || number <= std::get<Number>(*limits.maximum);
  if (above && below) {
    return {};
  }
  return "must be " + range_text(limits) + where + ", not " + text(number);
}

template <typename Number>
std::string objection(const std::vector<Number> & numbers, const ParameterLimits & limits)
{
  for (const Number number : numbers) {
    std::string found = objection(number, limits, " in every element");
    if (!found.empty()) {
      return found;
    }
  }
  return {};
}

}  // namespace

std::string range_text(const ParameterLimits & limits)
{
  if (limits.minimum && limits.maximum) {
    return "from " + text(*limits.minimum) + " to " + text(*limits.maximum);
  }
  if (limits.minimum) {
    return "at least " + text(*limits.minimum);
  }
  return limits.maximum ? "at most " + text(*limits.maximum) : std::string();
}

std::string ParameterBase::range_objection(const ParameterValue & value) const
{
  if (!limits_.minimum && !limits_.maximum) {
    return {};
  }
  if (const auto * integer = std::get_if<std::int64_t>(&value)) {
    return objection(*integer, limits_, "");
  }
  if (const auto * number = std::get_if<double>(&value)) {
    return objection(*number, limits_, "");
  }
  if (const auto * integers = std::get_if<std::vector<std::int64_t>>(&value)) {
    return objection(*integers, limits_);
  }
  return objection(std::get<std::vector<double>>(value), limits_);
}

ParameterBase::ParameterBase(
  Component & owner, std::string name, ParameterValue default_value, std::string description,
  ParameterLimits limits)
: name_(std::move(name)),
  description_(std::move(description)),
  default_(std::move(default_value)),
  limits_(std::move(limits))
{
  if (limits_.minimum) {
    limits_.minimum = checked_bound("minimum", *limits_.minimum, *this);
  }
  if (limits_.maximum) {
    limits_.maximum = checked_bound("maximum", *limits_.maximum, *this);
  }
  const std::string found = range_objection(default_);
  if (!found.empty()) {
    throw std::invalid_argument("the default of parameter '" + name_ + "' " + found);
  }
  declare("parameter", this, owner.parameters_);
}

}  // namespace lockstep
