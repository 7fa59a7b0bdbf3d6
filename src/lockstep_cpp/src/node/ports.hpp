#ifndef NODE__PORTS_HPP_
#define NODE__PORTS_HPP_

#include <cstddef>
#include <memory>
#include <vector>

#include "lockstep/component.hpp"
#include "node.hpp"
#include "services.hpp"
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

/// A component's inputs, outputs and services on the graph, in the order of declaration.
/// lockstep/nodes/ports.py is the twin.
struct Ports
{
  /// All of them as topics, in lockstep: with QoS that loses nothing, instead of what the ports
  /// declare; services are topics there, of their requests and responses.
  Ports(Node & node, const Component & component);

  /// As they are declared.
  /// \param services get those of the component, which hand their requests to `deliver`
  Ports(
    Node & node, const Component & component, Services & services,
    const HostedService::Deliver & deliver);

  /// Send a message of an output, which is a response where that is one of a service.
  void publish(std::size_t output, const void * message);

  std::vector<std::unique_ptr<HostedInput>> inputs;

  /// By the index of the output; there is none for responses of services.
  std::vector<std::unique_ptr<HostedOutput>> outputs;

  /// By the index of the output of their responses; there is none for other outputs.
  std::vector<HostedService *> services;
};

}  // namespace lockstep

#endif  // NODE__PORTS_HPP_
