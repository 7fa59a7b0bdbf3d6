#include "lockstep/parameter.hpp"

#include <array>
#include <string>
#include <utility>

#include "declare.hpp"
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

ParameterBase::ParameterBase(
  Component & owner, std::string name, ParameterValue default_value, std::string description)
: name_(std::move(name)), description_(std::move(description)), default_(std::move(default_value))
{
  declare("parameter", this, owner.parameters_);
}

}  // namespace lockstep
