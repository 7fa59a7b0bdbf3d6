#ifndef HOST__TYPE_SUPPORT_HPP_
#define HOST__TYPE_SUPPORT_HPP_

#include "rosidl_runtime_c/message_type_support_struct.h"

namespace lockstep
{

/// The part of a message type's support that `identifier` names.
/// \throws std::runtime_error if it cannot be loaded
const rosidl_message_type_support_t * type_support(
  const rosidl_message_type_support_t * type, const char * identifier);

}  // namespace lockstep

#endif  // HOST__TYPE_SUPPORT_HPP_
