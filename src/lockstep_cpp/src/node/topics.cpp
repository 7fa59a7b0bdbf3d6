#include "topics.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

#include "check.hpp"
#include "host/ros_error.hpp"
#include "rcl/error_handling.h"
#include "rmw/qos_profiles.h"
#include "rmw/serialized_message.h"

namespace lockstep
{

rmw_qos_profile_t to_rmw(const QoS & qos)
{
  rmw_qos_profile_t profile = rmw_qos_profile_default;
  profile.history = RMW_QOS_POLICY_HISTORY_KEEP_LAST;
  profile.depth = qos.depth;
  profile.reliability = qos.reliability == Reliability::reliable
                          ? RMW_QOS_POLICY_RELIABILITY_RELIABLE
                          : RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT;
  profile.durability = qos.durability == Durability::transient_local
                         ? RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL
                         : RMW_QOS_POLICY_DURABILITY_VOLATILE;
  return profile;
}

rmw_qos_profile_t lossless(Durability durability)
{
  rmw_qos_profile_t profile = to_rmw({Reliability::reliable, durability, 0});
  profile.history = RMW_QOS_POLICY_HISTORY_KEEP_ALL;
  return profile;
}

Subscription::Subscription(
  Node & node, const rosidl_message_type_support_t * type, const std::string & topic,
  const rmw_qos_profile_t & qos)
: node_(node), subscription_(rcl_get_zero_initialized_subscription())
{
  rcl_subscription_options_t options = rcl_subscription_get_default_options();
  options.qos = qos;
  check(
    rcl_subscription_init(&subscription_, node.handle(), type, topic.c_str(), &options),
    "subscribing to '" + topic + "'");
  topic_ = rcl_subscription_get_topic_name(&subscription_);
}

Subscription::~Subscription()
{
  if (rcl_subscription_fini(&subscription_, node_.handle()) != RCL_RET_OK) {
    take_ros_error();
  }
}

bool Subscription::take(void * message)
{
  const rcl_ret_t ret = rcl_take(&subscription_, message, nullptr, nullptr);
  if (ret == RCL_RET_SUBSCRIPTION_TAKE_FAILED) {
    return false;
  }
  if (ret != RCL_RET_OK) {
    check(ret, "reading a message of '" + topic_ + "'");
  }
  return true;
}

std::size_t Subscription::publisher_count() const
{
  std::size_t count = 0;
  check(
    rcl_subscription_get_publisher_count(&subscription_, &count),
    "counting the publishers of a topic");
  return count;
}

Publisher::Publisher(
  Node & node, const rosidl_message_type_support_t * type, const std::string & topic,
  const rmw_qos_profile_t & qos)
: node_(node), publisher_(rcl_get_zero_initialized_publisher())
{
  rcl_publisher_options_t options = rcl_publisher_get_default_options();
  options.qos = qos;
  check(
    rcl_publisher_init(&publisher_, node.handle(), type, topic.c_str(), &options),
    "creating the publisher of '" + topic + "'");
  topic_ = rcl_publisher_get_topic_name(&publisher_);
}

Publisher::~Publisher()
{
  if (rcl_publisher_fini(&publisher_, node_.handle()) != RCL_RET_OK) {
    take_ros_error();
  }
}

void Publisher::publish(const void * message)
{
  const rcl_ret_t ret = rcl_publish(&publisher_, message, nullptr);
  if (ret != RCL_RET_OK) {
    check(ret, "publishing on '" + topic_ + "'");
  }
}

bool Publisher::try_publish(const void * message)
{
  if (rcl_publish(&publisher_, message, nullptr) == RCL_RET_OK) {
    return true;
  }
  rcl_reset_error();
  return false;
}

bool Publisher::try_publish(std::uint8_t * cdr, std::size_t size)
{
  rcl_serialized_message_t message = rmw_get_zero_initialized_serialized_message();
  message.buffer = cdr;
  message.buffer_length = message.buffer_capacity = size;
  if (rcl_publish_serialized_message(&publisher_, &message, nullptr) == RCL_RET_OK) {
    return true;
  }
  rcl_reset_error();
  return false;
}

std::size_t Publisher::subscription_count() const
{
  std::size_t count = 0;
  check(
    rcl_publisher_get_subscription_count(&publisher_, &count),
    "counting the subscriptions of a topic");
  return count;
}

}  // namespace lockstep
