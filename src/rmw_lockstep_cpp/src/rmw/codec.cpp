#include "codec.hpp"

#include <exception>

#include "fastcdr/Cdr.h"
#include "fastcdr/FastBuffer.h"
#include "rcutils/error_handling.h"
#include "rmw/error_handling.h"
#include "rosidl_typesupport_fastrtps_c/identifier.h"
#include "rosidl_typesupport_fastrtps_cpp/identifier.hpp"
#include "rosidl_typesupport_fastrtps_cpp/service_type_support.h"

namespace rmw_lockstep
{

namespace
{

using eprosima::fastcdr::Cdr;
using eprosima::fastcdr::FastBuffer;

constexpr std::size_t ENCAPSULATION = 4;

/// An empty structure is sent as one byte.
bool has_members(const MessageCallbacks & callbacks)
{
  char bounds = 0;
  return callbacks.max_serialized_size(bounds) != 0 ||
         bounds == ROSIDL_TYPESUPPORT_FASTRTPS_UNBOUNDED_TYPE;
}

std::string name_of(const char * name_space, const char * name)
{
  std::string result;
  for (const char * at = name_space; *at != 0; ++at) {
    const bool separates = (at[0] == ':' && at[1] == ':') || (at[0] == '_' && at[1] == '_');
    result += separates ? '/' : *at;
    at += separates ? 1 : 0;
  }
  return result + "/" + name;
}

}  // namespace

const MessageCallbacks * callbacks_of(const rosidl_message_type_support_t * type_support)
{
  for (const char * identifier :
       {rosidl_typesupport_fastrtps_c__identifier,
        rosidl_typesupport_fastrtps_cpp::typesupport_identifier}) {
    const auto * handle = get_message_typesupport_handle(type_support, identifier);
    if (handle != nullptr) {
      return static_cast<const MessageCallbacks *>(handle->data);
    }
    rcutils_reset_error();
  }
  RMW_SET_ERROR_MSG("the message has no type support for CDR (rosidl_typesupport_fastrtps)");
  return nullptr;
}

bool callbacks_of(const rosidl_service_type_support_t * type_support, ServiceCallbacks & callbacks)
{
  for (const char * identifier :
       {rosidl_typesupport_fastrtps_c__identifier,
        rosidl_typesupport_fastrtps_cpp::typesupport_identifier}) {
    const auto * handle = get_service_typesupport_handle(type_support, identifier);
    if (handle != nullptr) {
      const auto & found = *static_cast<const service_type_support_callbacks_t *>(handle->data);
      callbacks.request = static_cast<const MessageCallbacks *>(found.request_members_->data);
      callbacks.response = static_cast<const MessageCallbacks *>(found.response_members_->data);
      callbacks.type = name_of(found.service_namespace_, found.service_name_);
      return true;
    }
    rcutils_reset_error();
  }
  RMW_SET_ERROR_MSG("the service has no type support for CDR (rosidl_typesupport_fastrtps)");
  return false;
}

std::string type_of(const MessageCallbacks & callbacks)
{
  return name_of(callbacks.message_namespace_, callbacks.message_name_);
}

bool serialize(
  const MessageCallbacks & callbacks, const void * message, std::vector<std::uint8_t> & bytes)
{
  const bool is_empty = !has_members(callbacks);
  bytes.assign(ENCAPSULATION + (is_empty ? 1 : callbacks.get_serialized_size(message)), 0);
  FastBuffer buffer(reinterpret_cast<char *>(bytes.data()), bytes.size());
  Cdr cdr(buffer, Cdr::DEFAULT_ENDIAN, eprosima::fastcdr::CdrVersion::XCDRv1);
  cdr.set_encoding_flag(eprosima::fastcdr::EncodingAlgorithmFlag::PLAIN_CDR);
  try {
    cdr.serialize_encapsulation();
    if (is_empty) {
      cdr << std::uint8_t{0};
    } else if (!callbacks.cdr_serialize(message, cdr)) {
      RMW_SET_ERROR_MSG("the message cannot be serialized");
      return false;
    }
  } catch (const std::exception & error) {
    RMW_SET_ERROR_MSG(error.what());
    return false;
  }
  bytes.resize(cdr.get_serialized_data_length());
  return true;
}

bool deserialize(
  const MessageCallbacks & callbacks, const std::uint8_t * bytes, std::size_t size, void * message)
{
  FastBuffer buffer(const_cast<char *>(reinterpret_cast<const char *>(bytes)), size);
  Cdr cdr(buffer, Cdr::DEFAULT_ENDIAN);
  try {
    cdr.read_encapsulation();
    if (has_members(callbacks) && !callbacks.cdr_deserialize(cdr, message)) {
      RMW_SET_ERROR_MSG("the message cannot be deserialized");
      return false;
    }
    return true;
  } catch (const std::exception & error) {
    RMW_SET_ERROR_MSG(error.what());
    return false;
  }
}

}  // namespace rmw_lockstep
