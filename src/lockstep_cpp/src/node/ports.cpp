#include "ports.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace lockstep
{

Ports::Ports(Node & node, const Component & component)
{
  for (InputPort * input : component.inputs()) {
    // Volatile in lockstep: it goes with any publisher, and all that counts is sent after the first
    // step.
    inputs.push_back(std::make_unique<HostedInput>(node, *input, lossless(Durability::volatile_)));
  }
  for (OutputPort * output : component.outputs()) {
    outputs.push_back(
      std::make_unique<HostedOutput>(node, *output, lossless(output->qos().durability)));
  }
}

Ports::Ports(
  Node & node, const Component & component, Services & all, const HostedService::Deliver & deliver)
: outputs(component.outputs().size()), services(component.outputs().size())
{
  const auto index_of = [&component](const OutputPort & output) {
    const auto & ports = component.outputs();
    return std::find(ports.begin(), ports.end(), &output) - ports.begin();
  };
  for (InputPort * input : component.inputs()) {
    if (ServicePort * service = input->service()) {
      auto hosted = std::make_unique<HostedService>(node, *service, deliver);
      services[index_of(service->responses())] = hosted.get();
      all.add(std::move(hosted));
    } else {
      inputs.push_back(std::make_unique<HostedInput>(node, *input, to_rmw(input->qos())));
    }
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (services[i] == nullptr) {
      OutputPort & output = *component.outputs()[i];
      outputs[i] = std::make_unique<HostedOutput>(node, output, to_rmw(output.qos()));
    }
  }
}

void Ports::publish(std::size_t output, const void * message)
{
  if (HostedService * service = services[output]) {
    service->respond(message);
  } else {
    outputs[output]->publisher.publish(message);
  }
}

}  // namespace lockstep
