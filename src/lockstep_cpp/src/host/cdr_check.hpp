#ifndef HOST__CDR_CHECK_HPP_
#define HOST__CDR_CHECK_HPP_

#include <cstddef>
#include <cstdint>

#include "rosidl_runtime_c/message_type_support_struct.h"

namespace lockstep
{

/// Tells whether bytes can be a message of a type, before memory is spent on them.
///
/// Fast CDR alone is not enough for bytes from outside: it takes the length of a wide string at its
/// word, and goes on after a nested sequence that is too long.
class CdrCheck
{
public:
  /// \throws std::runtime_error if the type comes without type support for introspection
  explicit CdrCheck(const rosidl_message_type_support_t * type);

  /// Whether the bytes are plain CDR (XCDR1) of the type: encapsulation, every length within what is
  /// there, and nothing after the last member but the at most 3 bytes that DDS may add.
  bool accepts(const std::uint8_t * cdr, std::size_t size) const;

private:
  const rosidl_message_type_support_t * introspection_;
};

}  // namespace lockstep

#endif  // HOST__CDR_CHECK_HPP_
