#include "ports.hpp"

#include <memory>

namespace lockstep
{

Ports::Ports(Node & node, const Component & component, bool lossless)
{
  const auto qos = [lossless](const Port & port) {
    return lossless ? lockstep::lossless(port.qos().durability) : to_rmw(port.qos());
  };
  for (InputPort * input : component.inputs()) {
    inputs.push_back(std::make_unique<HostedInput>(node, *input, qos(*input)));
  }
  for (OutputPort * output : component.outputs()) {
    outputs.push_back(std::make_unique<HostedOutput>(node, *output, qos(*output)));
  }
}

}  // namespace lockstep
