#include "lockstep/host/message_codec.hpp"

#include <cstring>
#include <exception>
#include <stdexcept>

#include "fastcdr/Cdr.h"
#include "fastcdr/FastBuffer.h"
#include "rosidl_typesupport_fastrtps_cpp/identifier.hpp"
#include "rosidl_typesupport_fastrtps_cpp/message_type_support.h"
#include "type_support.hpp"

namespace lockstep
{

namespace
{

using eprosima::fastcdr::Cdr;
using eprosima::fastcdr::FastBuffer;

constexpr std::size_t ENCAPSULATION_SIZE = 4;

}  // namespace

MessageCodec::MessageCodec(const rosidl_message_type_support_t * type)
: check_(type),
  callbacks_(*static_cast<const message_type_support_callbacks_t *>(
    type_support(type, rosidl_typesupport_fastrtps_cpp::typesupport_identifier)->data))
{
}

bool MessageCodec::deserialize(const std::uint8_t * cdr, std::size_t size, void * message) const
{
  if (!check_.accepts(cdr, size)) {
    return false;
  }
  // Fast CDR takes no pointer to const, but only reads.
  FastBuffer buffer(const_cast<char *>(reinterpret_cast<const char *>(cdr)), size);
  Cdr stream(buffer, Cdr::DEFAULT_ENDIAN, eprosima::fastcdr::XCDRv1);
  try {
    stream.read_encapsulation();
    return callbacks_.cdr_deserialize(stream, message);
  } catch (const std::exception &) {  // such as a bool that is 2
    return false;
  }
}

std::size_t MessageCodec::max_size(const void * message) const
{
  return ENCAPSULATION_SIZE + callbacks_.get_serialized_size(message);
}

std::size_t MessageCodec::serialize(
  const void * message, std::uint8_t * cdr, std::size_t size) const
{
  // Fast CDR leaves alone what lies between two aligned members.
  std::memset(cdr, 0, size);
  FastBuffer buffer(reinterpret_cast<char *>(cdr), size);
  Cdr stream(buffer, Cdr::DEFAULT_ENDIAN, eprosima::fastcdr::XCDRv1);
  stream.set_encoding_flag(eprosima::fastcdr::PLAIN_CDR);
  stream.serialize_encapsulation();
  if (!callbacks_.cdr_serialize(message, stream)) {
    throw std::runtime_error("the message cannot be serialized");
  }
  return stream.get_serialized_data_length();
}

}  // namespace lockstep
