#ifndef LOCKSTEP_RCLCPP__MESSAGE_TYPE_HPP_
#define LOCKSTEP_RCLCPP__MESSAGE_TYPE_HPP_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "rclcpp/rclcpp.hpp"
#include "rosidl_runtime_cpp/traits.hpp"

namespace lockstep_rclcpp
{

/// How to publish and to subscribe to messages of one type.
///
/// A component's ports tell their types at run time; rclcpp takes them at compile time, and only
/// typed publishers and subscriptions hand messages over within a process.
struct MessageType
{
  /// Takes a pointer to a message of the type.
  using Sink = std::function<void(const void * message)>;

  /// The full name, such as "geometry_msgs/msg/Vector3Stamped".
  std::string name;

  /// Subscribe; every message goes to `sink`.
  rclcpp::SubscriptionBase::SharedPtr (*subscribe)(
    rclcpp::Node & node, const std::string & topic, const rclcpp::QoS & qos, Sink sink);

  /// Create a publisher; it lives as long as the sink that publishes with it.
  Sink (*advertise)(rclcpp::Node & node, const std::string & topic, const rclcpp::QoS & qos);
};

/// The MessageType of a message class.
template <typename Message>
MessageType message_type()
{
  return {
    rosidl_generator_traits::name<Message>(),
    [](
      rclcpp::Node & node, const std::string & topic, const rclcpp::QoS & qos,
      MessageType::Sink sink) -> rclcpp::SubscriptionBase::SharedPtr {
      return node.create_subscription<Message>(
        topic, qos,
        [sink = std::move(sink)](std::shared_ptr<const Message> message) { sink(message.get()); });
    },
    [](rclcpp::Node & node, const std::string & topic, const rclcpp::QoS & qos)
      -> MessageType::Sink {
      return [publisher = node.create_publisher<Message>(topic, qos)](const void * message) {
        publisher->publish(*static_cast<const Message *>(message));
      };
    }};
}

}  // namespace lockstep_rclcpp

#endif  // LOCKSTEP_RCLCPP__MESSAGE_TYPE_HPP_
