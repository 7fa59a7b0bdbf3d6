#include "type_support.hpp"

#include <stdexcept>

#include "ros_error.hpp"

namespace lockstep
{

const rosidl_message_type_support_t * type_support(
  const rosidl_message_type_support_t * type, const char * identifier)
{
  const rosidl_message_type_support_t * found = get_message_typesupport_handle(type, identifier);
  if (found == nullptr) {
    throw std::runtime_error("loading a message type's support: " + take_ros_error());
  }
  return found;
}

}  // namespace lockstep
