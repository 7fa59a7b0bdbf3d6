#include "ports.hpp"

#include <memory>

namespace lockstep
{

Ports::Ports(Node & node, const Component & component, bool lossless)
{
  for (InputPort * input : component.inputs()) {
    // Volatile in lockstep: it goes with any publisher, and all that counts is sent after the first
    // step.
    inputs.push_back(
      std::make_unique<HostedInput>(
        node, *input, lossless ? lockstep::lossless(Durability::volatile_) : to_rmw(input->qos())));
  }
  for (OutputPort * output : component.outputs()) {
    outputs.push_back(
      std::make_unique<HostedOutput>(
        node, *output,
        lossless ? lockstep::lossless(output->qos().durability) : to_rmw(output->qos())));
  }
}

}  // namespace lockstep
