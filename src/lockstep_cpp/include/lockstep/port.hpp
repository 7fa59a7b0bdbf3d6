#ifndef LOCKSTEP__PORT_HPP_
#define LOCKSTEP__PORT_HPP_

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "lockstep/qos.hpp"
#include "rosidl_runtime_c/message_type_support_struct.h"
#include "rosidl_runtime_cpp/traits.hpp"
#include "rosidl_typesupport_cpp/message_type_support.hpp"

namespace lockstep
{

class Component;

/// What inputs and outputs have in common: everything about a port but its direction.
class Port
{
public:
  Port(const Port &) = delete;
  Port & operator=(const Port &) = delete;

  const std::string & name() const { return name_; }

  /// The topic before remapping; relative to the node's namespace unless it starts with '/'.
  const std::string & topic() const { return topic_; }

  const QoS & qos() const { return qos_; }

  /// The full name of the message type, such as "geometry_msgs/msg/Vector3Stamped".
  const std::string & type() const { return type_; }

  /// The RIHS01 hash of the message as it was built (REP 2016), such as "RIHS01_1234…"; none if the
  /// type support does not tell.
  std::optional<std::string> type_hash() const;

  /// The rosidl type support of the message, as rcl takes it.
  const rosidl_message_type_support_t * type_support() const { return type_support_; }

protected:
  Port(
    std::string name, std::string topic, const QoS & qos, const char * type,
    const rosidl_message_type_support_t * type_support);
  ~Port() = default;

private:
  std::string name_;
  std::string topic_;
  QoS qos_;
  std::string type_;
  const rosidl_message_type_support_t * type_support_;
};

/// An input as hosts see it: they write each message into `buffer()` and then call `deliver()`, or
/// deliver a message that they own.
class InputPort : public Port
{
public:
  virtual ~InputPort() = default;

  /// The message, of the port's type, that `deliver` hands to the component. Reused for every
  /// message, so that receiving allocates nothing once the largest message has been seen.
  virtual void * buffer() = 0;

  /// Call the component's callback with the message in `buffer()`.
  void deliver() { deliver(buffer()); }

  /// Call the component's callback with a message of the port's type.
  virtual void deliver(const void * message) = 0;

protected:
  InputPort(
    Component & owner, std::string name, std::string topic, const QoS & qos, const char * type,
    const rosidl_message_type_support_t * type_support);
};

/// An output as hosts see it: they say where its messages go.
class OutputPort : public Port
{
public:
  using Sink = std::function<void(const void * message)>;

  /// Send every message published from now on to `sink`, as a pointer to the port's message type.
  void connect(Sink sink) { sink_ = std::move(sink); }

protected:
  OutputPort(
    Component & owner, std::string name, std::string topic, const QoS & qos, const char * type,
    const rosidl_message_type_support_t * type_support);
  ~OutputPort() = default;

  void send(const void * message) const;

private:
  Sink sink_;
};

/// A topic the component listens to; each message is given to the component's `on_<name>`.
template <typename Message>
class Input : public InputPort
{
public:
  /// \param topic the topic before remapping; the port's name if empty
  template <typename Owner, typename Class>
  Input(
    Owner * owner, std::string name, void (Class::*callback)(const Message &), const QoS & qos = {},
    std::string topic = {})
  : InputPort(
      *owner, std::move(name), std::move(topic), qos, rosidl_generator_traits::name<Message>(),
      rosidl_typesupport_cpp::get_message_type_support_handle<Message>()),
    callback_([owner, callback](const Message & message) { (owner->*callback)(message); })
  {
  }

  void * buffer() override { return &message_; }
  using InputPort::deliver;
  void deliver(const void * message) override { receive(*static_cast<const Message *>(message)); }

  /// Call the component's callback with `message`, as a test does.
  void receive(const Message & message) { callback_(message); }

private:
  std::function<void(const Message &)> callback_;
  Message message_;
};

/// A topic the component publishes.
template <typename Message>
class Output : public OutputPort
{
public:
  /// \param topic the topic before remapping; the port's name if empty
  Output(Component * owner, std::string name, const QoS & qos = {}, std::string topic = {})
  : OutputPort(
      *owner, std::move(name), std::move(topic), qos, rosidl_generator_traits::name<Message>(),
      rosidl_typesupport_cpp::get_message_type_support_handle<Message>())
  {
  }

  /// Publish at the run's current time.
  /// \throws std::logic_error if no host has connected the port
  void publish(const Message & message) const { send(&message); }
};

}  // namespace lockstep

#endif  // LOCKSTEP__PORT_HPP_
