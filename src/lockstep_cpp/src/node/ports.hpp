#ifndef NODE__PORTS_HPP_
#define NODE__PORTS_HPP_

#include <memory>
#include <vector>

#include "lockstep/component.hpp"
#include "node.hpp"
#include "topics.hpp"

namespace lockstep
{

/// An input on the graph.
struct HostedInput
{
  HostedInput(Node & node, InputPort & input, const rmw_qos_profile_t & qos)
  : port(input), subscription(node, input.type_support(), input.topic(), qos)
  {
  }

  /// Move the next message into the port's buffer.
  /// \return false if there is none
  bool take() { return subscription.take(port.buffer()); }

  InputPort & port;
  Subscription subscription;
};

/// An output on the graph.
struct HostedOutput
{
  HostedOutput(Node & node, OutputPort & output, const rmw_qos_profile_t & qos)
  : port(output), publisher(node, output.type_support(), output.topic(), qos)
  {
  }

  OutputPort & port;
  Publisher publisher;
};

/// A component's inputs and outputs on the graph, in the order of declaration.
/// lockstep/nodes/ports.py is the twin.
struct Ports
{
  /// \param lossless offer and request QoS that loses nothing, instead of what the ports declare
  Ports(Node & node, const Component & component, bool lossless);

  std::vector<std::unique_ptr<HostedInput>> inputs;
  std::vector<std::unique_ptr<HostedOutput>> outputs;
};

}  // namespace lockstep

#endif  // NODE__PORTS_HPP_
