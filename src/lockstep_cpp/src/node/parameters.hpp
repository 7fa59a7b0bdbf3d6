#ifndef NODE__PARAMETERS_HPP_
#define NODE__PARAMETERS_HPP_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lockstep/parameter.hpp"
#include "node.hpp"
#include "rcl_interfaces/msg/list_parameters_result.hpp"
#include "rcl_interfaces/msg/parameter.hpp"
#include "rcl_interfaces/msg/parameter_descriptor.hpp"
#include "rcl_interfaces/msg/parameter_event.hpp"
#include "rcl_interfaces/msg/parameter_value.hpp"
#include "rcl_interfaces/msg/set_parameters_result.hpp"
#include "services.hpp"
#include "topics.hpp"

namespace lockstep
{

/// The node's parameters: overrides of the command line, the six services and /parameter_events.
/// lockstep/nodes/parameters.py is the twin.
class Parameters
{
public:
  /// \param now stamps the events
  /// \param changed is called when one or several of the component's parameters have been set
  Parameters(
    Node & node, Context & context, std::function<std::int64_t()> now,
    std::function<void()> changed);

  struct Declaration
  {
    std::string name;
    std::string description;
    ParameterValue value;
    bool read_only = false;
    /// Told the value once when it is declared, then whenever it is set.
    std::function<void(const ParameterValue &)> changed;
    /// The component's, if it is none of the node's own.
    const ParameterBase * of_component = nullptr;
  };

  /// Declare a parameter, with its override if there is one.
  /// \throws UsageError if the override is of another type or out of range
  void declare(Declaration declaration);

  /// Declare a parameter of the component.
  void declare(ParameterBase & parameter);

  /// Create the six services through which other nodes see and set the parameters.
  void serve(Services & services);

private:
  using Message = rcl_interfaces::msg::Parameter;
  using Result = rcl_interfaces::msg::SetParametersResult;

  const Declaration * find(const std::string & name) const;
  Declaration * find(const std::string & name);

  /// Why the parameter cannot be set so; empty if it can.
  std::string objection(const Message & message) const;

  /// Set all of them, or none.
  Result set(const std::vector<Message> & messages);

  template <typename Type>
  void serve(Services & services, const char * name, typename TypedService<Type>::Handle handle);

  template <typename Answer>
  std::vector<Answer> for_all(
    const std::vector<std::string> & names, Answer (*answer)(const Declaration &)) const;

  rcl_interfaces::msg::ListParametersResult list(
    const std::vector<std::string> & prefixes, std::uint64_t depth) const;
  static rcl_interfaces::msg::ParameterDescriptor describe(const Declaration & declaration);
  rcl_interfaces::msg::ParameterEvent event() const;

  Node & node_;
  std::function<std::int64_t()> now_;
  std::function<void()> changed_;
  Publisher events_;
  std::map<std::string, rcl_interfaces::msg::ParameterValue> overrides_;
  std::vector<Declaration> declarations_;
};

}  // namespace lockstep

#endif  // NODE__PARAMETERS_HPP_
