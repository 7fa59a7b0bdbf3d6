#include "parameters.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/host/errors.hpp"
#include "lockstep/host/parameter_value.hpp"
#include "lockstep/time.hpp"
#include "parameter_overrides.hpp"
#include "rcl_interfaces/srv/describe_parameters.hpp"
#include "rcl_interfaces/srv/get_parameter_types.hpp"
#include "rcl_interfaces/srv/get_parameters.hpp"
#include "rcl_interfaces/srv/list_parameters.hpp"
#include "rcl_interfaces/srv/set_parameters.hpp"
#include "rcl_interfaces/srv/set_parameters_atomically.hpp"
#include "rmw/qos_profiles.h"

namespace lockstep
{

namespace
{

rcl_interfaces::msg::Parameter parameter_msg(const std::string & name, const ParameterValue & value)
{
  rcl_interfaces::msg::Parameter message;
  message.name = name;
  message.value = to_msg(value);
  return message;
}

}  // namespace

Parameters::Parameters(
  Node & node, Context & context, std::function<std::int64_t()> now, std::function<void()> changed)
: node_(node),
  now_(std::move(now)),
  changed_(std::move(changed)),
  events_(
    node,
    rosidl_typesupport_cpp::get_message_type_support_handle<rcl_interfaces::msg::ParameterEvent>(),
    "/parameter_events", rmw_qos_profile_parameter_events),
  overrides_(parameter_overrides(context.handle()->global_arguments, node.fully_qualified_name()))
{
}

void Parameters::declare(Declaration declaration)
{
  if (find(declaration.name) != nullptr) {
    throw RunError("parameter '" + declaration.name + "' is one that every node has already");
  }
  const auto override = overrides_.find(declaration.name);
  if (override != overrides_.end()) {
    const std::optional<ParameterValue> value = from_msg(override->second);
    if (!value || value->index() != declaration.value.index()) {
      throw UsageError(
        "parameter '" + declaration.name + "' must be of type " + type_name(declaration.value) +
        ", not " + type_name(override->second.type));
    }
    const std::string objection =
      declaration.of_component != nullptr ? declaration.of_component->range_objection(*value) : "";
    if (!objection.empty()) {
      throw UsageError("parameter '" + declaration.name + "' " + objection);
    }
    declaration.value = *value;
  }
  if (declaration.changed) {
    declaration.changed(declaration.value);
  }
  auto event = this->event();
  event.new_parameters.push_back(parameter_msg(declaration.name, declaration.value));
  declarations_.push_back(std::move(declaration));
  events_.publish(&event);
}

void Parameters::declare(ParameterBase & parameter)
{
  declare(
    {parameter.name(), parameter.description(), parameter.default_value(),
     parameter.limits().read_only,
     [&parameter](const ParameterValue & value) { parameter.set(value); }, &parameter});
}

const Parameters::Declaration * Parameters::find(const std::string & name) const
{
  const auto found = std::find_if(
    declarations_.begin(), declarations_.end(),
    [&name](const Declaration & declaration) { return declaration.name == name; });
  return found == declarations_.end() ? nullptr : &*found;
}

Parameters::Declaration * Parameters::find(const std::string & name)
{
  return const_cast<Declaration *>(std::as_const(*this).find(name));
}

std::string Parameters::objection(const Message & message) const
{
  const Declaration * declaration = find(message.name);
  if (declaration == nullptr) {
    return "parameter '" + message.name + "' is not declared";
  }
  if (declaration->read_only) {
    return "parameter '" + message.name + "' is read-only";
  }
  if (message.value.type != to_type(declaration->value)) {
    return "parameter '" + message.name + "' must be of type " + type_name(declaration->value) +
           ", not " + type_name(message.value.type);
  }
  if (declaration->of_component != nullptr) {
    const std::string objection =
      declaration->of_component->range_objection(*from_msg(message.value));
    if (!objection.empty()) {
      return "parameter '" + message.name + "' " + objection;
    }
  }
  return {};
}

Parameters::Result Parameters::set(const std::vector<Message> & messages)
{
  Result result;
  for (const Message & message : messages) {
    result.reason = objection(message);
    if (!result.reason.empty()) {
      return result;
    }
  }
  auto event = this->event();
  bool of_component = false;
  for (const Message & message : messages) {
    Declaration & declaration = *find(message.name);
    declaration.value = *from_msg(message.value);
    if (declaration.changed) {
      declaration.changed(declaration.value);
    }
    of_component = of_component || declaration.of_component != nullptr;
    event.changed_parameters.push_back(message);
  }
  events_.publish(&event);
  if (of_component) {
    changed_();
  }
  result.successful = true;
  return result;
}

rcl_interfaces::msg::ListParametersResult Parameters::list(
  const std::vector<std::string> & prefixes, std::uint64_t depth) const
{
  // As in rclcpp: a depth counts the levels below a prefix, and without prefixes from the root.
  const auto within_depth = [depth](const std::string & below) {
    return depth == rcl_interfaces::srv::ListParameters::Request::DEPTH_RECURSIVE ||
           static_cast<std::uint64_t>(std::count(below.begin(), below.end(), '.')) < depth;
  };
  const auto listed = [&](const std::string & name) {
    if (prefixes.empty()) {
      return within_depth(name);
    }
    return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string & prefix) {
      return name == prefix ||
             (name.rfind(prefix + '.', 0) == 0 && within_depth(name.substr(prefix.size() + 1)));
    });
  };
  rcl_interfaces::msg::ListParametersResult result;
  for (const Declaration & declaration : declarations_) {
    const std::string & name = declaration.name;
    if (!listed(name)) {
      continue;
    }
    result.names.push_back(name);
    const std::size_t separator = name.rfind('.');
    if (separator != std::string::npos) {
      const std::string prefix = name.substr(0, separator);
      if (std::count(result.prefixes.begin(), result.prefixes.end(), prefix) == 0) {
        result.prefixes.push_back(prefix);
      }
    }
  }
  return result;
}

rcl_interfaces::msg::ParameterDescriptor Parameters::describe(const Declaration & declaration)
{
  rcl_interfaces::msg::ParameterDescriptor descriptor;
  descriptor.name = declaration.name;
  descriptor.type = to_type(declaration.value);
  descriptor.description = declaration.description;
  descriptor.read_only = declaration.read_only;
  if (declaration.of_component != nullptr) {
    describe_range(*declaration.of_component, descriptor);
  }
  return descriptor;
}

rcl_interfaces::msg::ParameterEvent Parameters::event() const
{
  rcl_interfaces::msg::ParameterEvent event;
  event.stamp = to_stamp(now_());
  event.node = node_.fully_qualified_name();
  return event;
}

template <typename Answer>
std::vector<Answer> Parameters::for_all(
  const std::vector<std::string> & names, Answer (*answer)(const Declaration &)) const
{
  std::vector<Answer> answers;
  for (const std::string & name : names) {
    const Declaration * declaration = find(name);
    if (declaration == nullptr) {
      // As in rclcpp and rclpy, one unknown name empties the whole answer.
      return {};
    }
    answers.push_back(answer(*declaration));
  }
  return answers;
}

template <typename Type>
void Parameters::serve(
  Services & services, const char * name, typename TypedService<Type>::Handle handle)
{
  services.add(
    std::make_unique<TypedService<Type>>(
      node_, std::string("~/") + name, rmw_qos_profile_parameters, std::move(handle)));
}

void Parameters::serve(Services & services)
{
  using namespace rcl_interfaces::srv;  // NOLINT(build/namespaces)
  serve<DescribeParameters>(
    services, "describe_parameters", [this](const auto & request, auto & response) {
      response.descriptors = for_all(request.names, &describe);
    });
  serve<GetParameters>(services, "get_parameters", [this](const auto & request, auto & response) {
    response.values = for_all<rcl_interfaces::msg::ParameterValue>(
      request.names, [](const Declaration & declaration) { return to_msg(declaration.value); });
  });
  serve<GetParameterTypes>(
    services, "get_parameter_types", [this](const auto & request, auto & response) {
      response.types = for_all<std::uint8_t>(
        request.names, [](const Declaration & declaration) { return to_type(declaration.value); });
    });
  serve<ListParameters>(services, "list_parameters", [this](const auto & request, auto & response) {
    response.result = list(request.prefixes, request.depth);
  });
  serve<SetParameters>(services, "set_parameters", [this](const auto & request, auto & response) {
    for (const Message & message : request.parameters) {
      response.results.push_back(set({message}));
    }
  });
  serve<SetParametersAtomically>(
    services, "set_parameters_atomically",
    [this](const auto & request, auto & response) { response.result = set(request.parameters); });
}

}  // namespace lockstep
