#ifndef NODE__TOPICS_HPP_
#define NODE__TOPICS_HPP_

#include <cstddef>
#include <cstdint>
#include <string>

#include "lockstep/qos.hpp"
#include "node.hpp"
#include "rcl/publisher.h"
#include "rcl/subscription.h"
#include "rmw/types.h"

namespace lockstep
{

/// A port's QoS, KEEP_LAST.
rmw_qos_profile_t to_rmw(const QoS & qos);

/// QoS that loses nothing: RELIABLE and KEEP_ALL.
rmw_qos_profile_t lossless(Durability durability);

/// A subscription to messages of any type.
class Subscription
{
public:
  Subscription(
    Node & node, const rosidl_message_type_support_t * type, const std::string & topic,
    const rmw_qos_profile_t & qos);
  ~Subscription();
  Subscription(const Subscription &) = delete;
  Subscription & operator=(const Subscription &) = delete;

  /// Move the next message into `message`, of the subscription's type.
  /// \return false if there is none
  bool take(void * message);

  /// The topic after remapping, fully qualified.
  const std::string & topic() const { return topic_; }

  std::size_t publisher_count() const;
  const rcl_subscription_t & handle() const { return subscription_; }

private:
  Node & node_;
  rcl_subscription_t subscription_;
  std::string topic_;
};

/// A publisher of messages of any type.
class Publisher
{
public:
  Publisher(
    Node & node, const rosidl_message_type_support_t * type, const std::string & topic,
    const rmw_qos_profile_t & qos);
  ~Publisher();
  Publisher(const Publisher &) = delete;
  Publisher & operator=(const Publisher &) = delete;

  /// \throws std::runtime_error if the middleware does not take the message
  void publish(const void * message);

  /// \return false if the middleware does not take the message, as when a KEEP_ALL history is full
  bool try_publish(const void * message);

  /// The same for a message that is CDR already.
  bool try_publish(std::uint8_t * cdr, std::size_t size);

  /// The topic after remapping, fully qualified.
  const std::string & topic() const { return topic_; }

  std::size_t subscription_count() const;

private:
  Node & node_;
  rcl_publisher_t publisher_;
  std::string topic_;
};

}  // namespace lockstep

#endif  // NODE__TOPICS_HPP_
