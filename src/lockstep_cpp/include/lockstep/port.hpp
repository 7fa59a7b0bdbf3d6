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
class ServicePort;

/// What inputs and outputs have in common: everything about a port but its direction.
class Port
{
public:
  Port(const Port &) = delete;
  Port & operator=(const Port &) = delete;

  /// \return the name in the component
  const std::string & name() const { return name_; }

  /// The topic before remapping; relative to the node's namespace unless it starts with '/'.
  const std::string & topic() const { return topic_; }

  /// \return what the port offers or requests on the graph
  const QoS & qos() const { return qos_; }

  /// The full name of the message type, such as "geometry_msgs/msg/Vector3Stamped".
  const std::string & type() const { return type_; }

  /// The RIHS01 hash of the message as it was built (REP 2016), such as "RIHS01_1234…"; none if the
  /// type support does not tell.
  std::optional<std::string> type_hash() const;

  /// The rosidl type support of the message, as rcl takes it.
  const rosidl_message_type_support_t * type_support() const { return type_support_; }

protected:
  /// As declared, with the full name of the message type.
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

  /// Call the component's callback.
  /// \param message a message of the port's type; the caller keeps it
  virtual void deliver(const void * message) = 0;

  /// \return the service whose requests come here; none for an input of messages
  virtual ServicePort * service() { return nullptr; }

protected:
  /// \throws std::invalid_argument for a name that is taken or impossible, and for a topic that is
  /// no name of one
  InputPort(
    Component & owner, std::string name, std::string topic, const QoS & qos, const char * type,
    const rosidl_message_type_support_t * type_support);
};

/// An output as hosts see it: they say where its messages go.
class OutputPort : public Port
{
public:
  /// Where messages go, as pointers to the port's message type that are valid during the call.
  using Sink = std::function<void(const void * message)>;

  /// Send every message published from now on to another place, as hosts and tests do.
  /// \param sink is called with each message, while the component publishes it
  void connect(Sink sink) { sink_ = std::move(sink); }

protected:
  /// \throws std::invalid_argument for a name that is taken or impossible, and for a topic that is
  /// no name of one
  OutputPort(
    Component & owner, std::string name, std::string topic, const QoS & qos, const char * type,
    const rosidl_message_type_support_t * type_support);
  ~OutputPort() = default;

  /// Hand a message of the port's type to the sink.
  /// \throws std::logic_error if there is none yet
  void send(const void * message) const;

private:
  Sink sink_;
};

/// A topic the component listens to; each message is given to the component's `on_<name>`.
template <typename Message>
class Input : public InputPort
{
public:
  /// \param owner the component: `this`
  /// \param name the name in the component, unique among its inputs
  /// \param callback the component's method that is given each message
  /// \param qos what is requested of publishers
  /// \param topic the topic before remapping, such as "odom", "/tf" or "~/state"; the port's name if
  /// empty
  /// \throws std::invalid_argument for a name that is taken or impossible, and for a topic that is
  /// no name of one
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

  /// The same for a part of a component that takes the messages itself, as a TfListener does.
  Input(
    Component * owner, std::string name, std::function<void(const Message &)> callback,
    const QoS & qos = {}, std::string topic = {})
  : InputPort(
      *owner, std::move(name), std::move(topic), qos, rosidl_generator_traits::name<Message>(),
      rosidl_typesupport_cpp::get_message_type_support_handle<Message>()),
    callback_(std::move(callback))
  {
  }

  void * buffer() override { return &message_; }
  using InputPort::deliver;
  void deliver(const void * message) override { receive(*static_cast<const Message *>(message)); }

  /// Call the component's callback, as a test does.
  /// \param message the message to give it
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
  /// \param owner the component: `this`
  /// \param name the name in the component, unique among its outputs
  /// \param qos what is offered to subscribers
  /// \param topic the topic before remapping, such as "odom", "/tf" or "~/state"; the port's name if
  /// empty
  /// \throws std::invalid_argument for a name that is taken or impossible, and for a topic that is
  /// no name of one
  Output(Component * owner, std::string name, const QoS & qos = {}, std::string topic = {})
  : OutputPort(
      *owner, std::move(name), std::move(topic), qos, rosidl_generator_traits::name<Message>(),
      rosidl_typesupport_cpp::get_message_type_support_handle<Message>())
  {
  }

  /// Give every message published from now on to a listener, as a test does.
  /// \param listener is called with each message, while the component publishes it
  void listen(std::function<void(const Message &)> listener)
  {
    connect([listener = std::move(listener)](const void * message) {
      listener(*static_cast<const Message *>(message));
    });
  }

  /// Publish at the run's current time.
  /// \param message the message; it may be changed or destroyed afterwards
  /// \throws std::logic_error if no host has connected the port
  void publish(const Message & message) const { send(&message); }
};

}  // namespace lockstep

#endif  // LOCKSTEP__PORT_HPP_
