#ifndef LOCKSTEP__HOST__MESSAGE_CODEC_HPP_
#define LOCKSTEP__HOST__MESSAGE_CODEC_HPP_

#include <cstddef>
#include <cstdint>

#include "lockstep/host/cdr_check.hpp"

struct message_type_support_callbacks_t;  // of rosidl_typesupport_fastrtps_cpp

namespace lockstep
{

/// Turns messages of one type into CDR and back, with the same bytes as rmw_fastrtps.
class MessageCodec
{
public:
  /// \throws std::runtime_error if the type comes without the type support that this takes
  explicit MessageCodec(const rosidl_message_type_support_t * type);

  /// Read `message`, of the codec's type, from plain CDR.
  /// \return false if the bytes are no such message; then `message` may be half read
  bool deserialize(const std::uint8_t * cdr, std::size_t size, void * message) const;

  /// How many bytes `serialize` needs at most.
  std::size_t max_size(const void * message) const;

  /// Write `message` as plain CDR, little endian, with zeros where its layout has gaps.
  /// \return the number of bytes written
  /// \throws std::exception if the message breaks a bound of its type
  std::size_t serialize(const void * message, std::uint8_t * cdr, std::size_t size) const;

private:
  CdrCheck check_;
  const message_type_support_callbacks_t & callbacks_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__MESSAGE_CODEC_HPP_
