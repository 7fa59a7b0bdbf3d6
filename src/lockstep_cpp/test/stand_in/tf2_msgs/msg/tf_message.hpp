#ifndef TF2_MSGS__MSG__TF_MESSAGE_HPP_
#define TF2_MSGS__MSG__TF_MESSAGE_HPP_

#include <vector>

#include "geometry_msgs/msg/transform_stamped.hpp"
#include "rosidl_runtime_cpp/traits.hpp"
#include "rosidl_typesupport_cpp/message_type_support.hpp"

// As rosidl makes it, for tests where tf2_msgs is not installed (it is not on PyPI): no message of
// it is sent.

namespace tf2_msgs::msg
{

struct TFMessage
{
  std::vector<geometry_msgs::msg::TransformStamped> transforms;
};

}  // namespace tf2_msgs::msg

namespace rosidl_generator_traits
{

template <>
inline const char * name<tf2_msgs::msg::TFMessage>()
{
  return "tf2_msgs/msg/TFMessage";
}

}  // namespace rosidl_generator_traits

namespace rosidl_typesupport_cpp
{

template <>
inline const rosidl_message_type_support_t *
get_message_type_support_handle<tf2_msgs::msg::TFMessage>()
{
  return get_message_type_support_handle<geometry_msgs::msg::TransformStamped>();
}

}  // namespace rosidl_typesupport_cpp

#endif  // TF2_MSGS__MSG__TF_MESSAGE_HPP_
