#include "lockstep/port.hpp"

#include <stdexcept>
#include <string>
#include <utility>

#include "declare.hpp"
#include "lockstep/component.hpp"

namespace lockstep
{

Port::Port(
  std::string name, std::string topic, const QoS & qos, const char * type,
  const rosidl_message_type_support_t * type_support)
: name_(std::move(name)),
  topic_(topic.empty() ? name_ : std::move(topic)),
  qos_(qos),
  type_(type),
  type_support_(type_support)
{
}

InputPort::InputPort(
  Component & owner, std::string name, std::string topic, const QoS & qos, const char * type,
  const rosidl_message_type_support_t * type_support)
: Port(std::move(name), std::move(topic), qos, type, type_support)
{
  declare("input", this, owner.inputs_);
}

OutputPort::OutputPort(
  Component & owner, std::string name, std::string topic, const QoS & qos, const char * type,
  const rosidl_message_type_support_t * type_support)
: Port(std::move(name), std::move(topic), qos, type, type_support)
{
  declare("output", this, owner.outputs_);
}

void OutputPort::send(const void * message) const
{
  if (!sink_) {
    throw std::logic_error(
      "output '" + name() + "' is not connected yet; publish from on_start, inputs and timers");
  }
  sink_(message);
}

}  // namespace lockstep
