#ifndef LOCKSTEP__HOST__CDR_CHECK_HPP_
#define LOCKSTEP__HOST__CDR_CHECK_HPP_

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

  /// Whether the bytes begin with the type in plain CDR (XCDR1): its encapsulation, and all members
  /// within what is there. What follows them is ignored, for rmw_serialize leaves bytes there.
  bool accepts(const std::uint8_t * cdr, std::size_t size) const;

private:
  const rosidl_message_type_support_t * introspection_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__CDR_CHECK_HPP_
