#include "lockstep/port.hpp"

#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "declare.hpp"
#include "lockstep/component.hpp"
#include "names.hpp"
#include "rcutils/allocator.h"
#include "rosidl_runtime_c/type_hash.h"

namespace lockstep
{

namespace
{

void check_port(const char * kind, const Port & port)
{
  check_name(kind, port.name());
  check_topic(kind, port.name(), port.topic());
}

}  // namespace

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

std::optional<std::string> Port::type_hash() const
{
  if (type_support_->get_type_hash_func == nullptr) {
    return std::nullopt;
  }
  const rcutils_allocator_t allocator = rcutils_get_default_allocator();
  char * text = nullptr;
  if (
    rosidl_stringify_type_hash(
      type_support_->get_type_hash_func(type_support_), allocator, &text) != RCUTILS_RET_OK) {
    throw std::bad_alloc();
  }
  std::string hash(text);
  allocator.deallocate(text, allocator.state);
  return hash;
}

InputPort::InputPort(
  Component & owner, std::string name, std::string topic, const QoS & qos, const char * type,
  const rosidl_message_type_support_t * type_support)
: Port(std::move(name), std::move(topic), qos, type, type_support)
{
  check_port("input", *this);
  declare("input", this, owner.inputs_);
}

OutputPort::OutputPort(
  Component & owner, std::string name, std::string topic, const QoS & qos, const char * type,
  const rosidl_message_type_support_t * type_support)
: Port(std::move(name), std::move(topic), qos, type, type_support)
{
  check_port("output", *this);
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
