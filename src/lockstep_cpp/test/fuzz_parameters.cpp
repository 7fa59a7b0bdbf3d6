// Whatever is given as a parameter, on the command line, in a file or as a message, becomes a value
// or an error of the user, and no sanitizer objects. `make fuzz` runs it with libFuzzer.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "lockstep/component.hpp"
#include "lockstep/host/errors.hpp"
#include "lockstep/host/message_codec.hpp"
#include "lockstep/host/parameter_value.hpp"
#include "node/check.hpp"
#include "node/parameter_overrides.hpp"
#include "rcl/allocator.h"
#include "rcl/arguments.h"
#include "rcl/error_handling.h"
#include "rcl_interfaces/msg/parameter.hpp"
#include "rosidl_typesupport_cpp/message_type_support.hpp"

namespace
{

struct Limited : lockstep::Component
{
  Parameter<std::int64_t> whole{this, "whole", 3, "", Minimum{1}};
  Parameter<double> gain{this, "gain", 0.5, "", Minimum{0.0}, Maximum{1.0}};
  Parameter<std::vector<double>> gains{this, "gains", {0.5}, "", Maximum{1.0}};
  Parameter<std::string> name{this, "name", "a"};
};

/// A value is the same after the way through a message, but for NaN, which equals nothing.
void use(const rcl_interfaces::msg::ParameterValue & message)
{
  const auto value = lockstep::from_msg(message);
  if (!value) {
    return;
  }
  if (lockstep::from_msg(lockstep::to_msg(*value)) != value && *value == *value) {
    std::abort();
  }
  static Limited component;
  for (lockstep::ParameterBase * parameter : component.parameters()) {
    if (parameter->default_value().index() == value->index()) {
      if (parameter->range_objection(*value).empty()) {
        parameter->set(*value);
      }
    }
  }
}

void use_message(const std::uint8_t * data, std::size_t size)
{
  static const lockstep::MessageCodec CODEC(
    rosidl_typesupport_cpp::get_message_type_support_handle<rcl_interfaces::msg::Parameter>());
  rcl_interfaces::msg::Parameter message;
  if (!CODEC.deserialize(data, size, &message)) {
    return;
  }
  use(message.value);
  std::vector<std::uint8_t> bytes(CODEC.max_size(&message));
  const std::size_t length = CODEC.serialize(&message, bytes.data(), bytes.size());
  rcl_interfaces::msg::Parameter again;
  // Fast CDR writes a string as far as its first null character.
  message.name = message.name.c_str();
  if (!CODEC.deserialize(bytes.data(), length, &again) || again.name != message.name) {
    std::abort();
  }
}

void use_argument(const std::string & text)
{
  const std::array<const char *, 4> arguments = {"program", "--ros-args", "-p", text.c_str()};
  rcl_arguments_t parsed = rcl_get_zero_initialized_arguments();
  if (
    rcl_parse_arguments(
      static_cast<int>(arguments.size()), arguments.data(), rcl_get_default_allocator(), &parsed) !=
    RCL_RET_OK) {
    rcl_reset_error();
    return;
  }
  try {
    for (const auto & [name, value] : lockstep::parameter_overrides(parsed, "/robot/node")) {
      use(value);
    }
  } catch (const lockstep::UsageError &) {
  }
  lockstep::check(rcl_arguments_fini(&parsed), "finishing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t * data, std::size_t size)
{
  if (size == 0) {
    return 0;
  }
  const std::string text(reinterpret_cast<const char *>(data + 1), size - 1);
  switch (data[0] % 3) {
    case 0:
      use_message(data + 1, size - 1);
      break;
    case 1:
      use_argument(text);
      break;
    default:
      try {
        lockstep::matches(text, "/robot/node");
      } catch (const lockstep::UsageError &) {
      }
  }
  return 0;
}
