#ifndef RMW__CODEC_HPP_
#define RMW__CODEC_HPP_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "rosidl_runtime_c/message_type_support_struct.h"
#include "rosidl_runtime_c/service_type_support_struct.h"
#include "rosidl_typesupport_fastrtps_cpp/message_type_support.h"

namespace rmw_lockstep
{

using MessageCallbacks = message_type_support_callbacks_t;

/// The type support of a message that writes and reads CDR, for C or C++; null, with rmw's error
/// set, if it has none.
const MessageCallbacks * callbacks_of(const rosidl_message_type_support_t * type_support);

struct ServiceCallbacks
{
  const MessageCallbacks * request = nullptr;
  const MessageCallbacks * response = nullptr;
  std::string type;  ///< as in `std_srvs/srv/Empty`
};

/// The same of a service; false, with rmw's error set, if it has none.
bool callbacks_of(const rosidl_service_type_support_t * type_support, ServiceCallbacks & callbacks);

/// The name of a message's type, as in `sensor_msgs/msg/Imu`.
std::string type_of(const MessageCallbacks & callbacks);

/// A message in CDR with its encapsulation, with zeros in the gaps; false, with rmw's error set, if
/// it cannot be written.
bool serialize(
  const MessageCallbacks & callbacks, const void * message, std::vector<std::uint8_t> & bytes);

/// Read a message of CDR; false, with rmw's error set, if it is none of the type.
bool deserialize(
  const MessageCallbacks & callbacks, const std::uint8_t * bytes, std::size_t size, void * message);

}  // namespace rmw_lockstep

#endif  // RMW__CODEC_HPP_
