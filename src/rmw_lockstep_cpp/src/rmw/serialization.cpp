/// Messages in CDR, for whoever asks.

#include <cstring>
#include <vector>

#include "../process/real.hpp"
#include "codec.hpp"
#include "rmw/rmw.h"

using namespace rmw_lockstep;

REPLACE rmw_ret_t rmw_serialize(
  const void * message, const rosidl_message_type_support_t * type_support,
  rmw_serialized_message_t * result)
{
  const MessageCallbacks * callbacks = callbacks_of(type_support);
  std::vector<std::uint8_t> bytes;
  if (callbacks == nullptr || !serialize(*callbacks, message, bytes)) {
    return RMW_RET_ERROR;
  }
  if (
    result->buffer_capacity < bytes.size() &&
    rmw_serialized_message_resize(result, bytes.size()) != RMW_RET_OK) {
    return RMW_RET_BAD_ALLOC;
  }
  std::memcpy(result->buffer, bytes.data(), bytes.size());
  result->buffer_length = bytes.size();
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_deserialize(
  const rmw_serialized_message_t * bytes, const rosidl_message_type_support_t * type_support,
  void * message)
{
  const MessageCallbacks * callbacks = callbacks_of(type_support);
  const bool is_read =
    callbacks != nullptr && deserialize(*callbacks, bytes->buffer, bytes->buffer_length, message);
  return is_read ? RMW_RET_OK : RMW_RET_ERROR;
}
