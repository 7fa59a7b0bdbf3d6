#include "lockstep/host/cdr_check.hpp"

#include <cstring>
#include <stdexcept>

#include "rosidl_typesupport_introspection_cpp/field_types.hpp"
#include "rosidl_typesupport_introspection_cpp/identifier.hpp"
#include "rosidl_typesupport_introspection_cpp/message_introspection.hpp"
#include "type_support.hpp"

namespace lockstep
{

namespace
{

using namespace rosidl_typesupport_introspection_cpp;  // NOLINT(build/namespaces)

constexpr std::size_t ENCAPSULATION_SIZE = 4;

const MessageMembers & members_of(const rosidl_message_type_support_t * introspection)
{
  return *static_cast<const MessageMembers *>(introspection->data);
}

struct Primitive
{
  std::size_t size;
  std::size_t alignment;
};

Primitive primitive(std::uint8_t type)
{
  switch (type) {
    case ROS_TYPE_LONG_DOUBLE:
      return {16, 8};
    case ROS_TYPE_DOUBLE:
    case ROS_TYPE_INT64:
    case ROS_TYPE_UINT64:
      return {8, 8};
    case ROS_TYPE_FLOAT:
    case ROS_TYPE_INT32:
    case ROS_TYPE_UINT32:
      return {4, 4};
    case ROS_TYPE_WCHAR:
    case ROS_TYPE_INT16:
    case ROS_TYPE_UINT16:
      return {2, 2};
    default:
      return {1, 1};
  }
}

/// Goes through a message's bytes; its methods return false where they end too early.
class Walk
{
public:
  Walk(const std::uint8_t * body, std::size_t size, bool swapped)
  : body_(body), size_(size), swapped_(swapped)
  {
  }

  bool message(const MessageMembers & members)
  {
    for (std::uint32_t i = 0; i < members.member_count_; ++i) {
      if (!member(members.members_[i])) {
        return false;
      }
    }
    return true;
  }

private:
  bool member(const MessageMember & member)
  {
    std::size_t count = 1;
    if (member.is_array_) {
      const bool is_fixed = member.array_size_ > 0 && !member.is_upper_bound_;
      if (is_fixed) {
        count = member.array_size_;
      } else if (!length(count) || (member.is_upper_bound_ && count > member.array_size_)) {
        return false;
      }
    }
    switch (member.type_id_) {
      case ROS_TYPE_MESSAGE:
        return each(count, [&] { return message(members_of(member.members_)); });
      case ROS_TYPE_STRING:
        return each(count, [&] { return string(1); });
      case ROS_TYPE_WSTRING:
        return each(count, [&] { return string(4); });
      default:
        return count == 0 || skip(count, primitive(member.type_id_));
    }
  }

  template <typename Element>
  bool each(std::size_t count, Element && element)
  {
    for (std::size_t i = 0; i < count; ++i) {
      if (!element()) {
        return false;
      }
    }
    return true;
  }

  bool string(std::size_t character_size)
  {
    std::size_t count = 0;
    return length(count) && skip(count, {character_size, 1});
  }

  bool length(std::size_t & count)
  {
    if (!skip(1, {4, 4})) {
      return false;
    }
    std::uint32_t value = 0;
    std::memcpy(&value, body_ + position_ - sizeof(value), sizeof(value));
    count = swapped_ ? __builtin_bswap32(value) : value;
    return true;
  }

  bool skip(std::size_t count, Primitive type)
  {
    const std::size_t start = (position_ + type.alignment - 1) & ~(type.alignment - 1);
    if (start > size_ || count > (size_ - start) / type.size) {
      return false;
    }
    position_ = start + count * type.size;
    return true;
  }

  const std::uint8_t * body_;
  std::size_t size_;
  bool swapped_;
  std::size_t position_ = 0;
};

}  // namespace

CdrCheck::CdrCheck(const rosidl_message_type_support_t * type)
: introspection_(type_support(type, typesupport_identifier))
{
}

bool CdrCheck::accepts(const std::uint8_t * cdr, std::size_t size) const
{
  // Encapsulation: 0, then 0 for big or 1 for little endian, then two bytes of options.
  if (size < ENCAPSULATION_SIZE || cdr[0] != 0 || cdr[1] > 1) {
    return false;
  }
  Walk walk(cdr + ENCAPSULATION_SIZE, size - ENCAPSULATION_SIZE, cdr[1] == 0);
  return walk.message(members_of(introspection_));
}

}  // namespace lockstep
