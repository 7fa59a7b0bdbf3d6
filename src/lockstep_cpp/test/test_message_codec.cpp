#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/host/cdr_check.hpp"
#include "lockstep/host/message_codec.hpp"
#include "rcl_interfaces/msg/parameter_event.hpp"
#include "rosidl_typesupport_cpp/message_type_support.hpp"
#include "rosidl_typesupport_introspection_cpp/field_types.hpp"
#include "rosidl_typesupport_introspection_cpp/identifier.hpp"
#include "rosidl_typesupport_introspection_cpp/message_introspection.hpp"
#include "std_msgs/msg/bool.hpp"
#include "std_msgs/msg/empty.hpp"
#include "std_msgs/msg/float64_multi_array.hpp"
#include "std_msgs/msg/header.hpp"
#include "std_msgs/msg/string.hpp"

namespace introspection = rosidl_typesupport_introspection_cpp;
using Bytes = std::vector<std::uint8_t>;

namespace
{

template <typename Message>
const rosidl_message_type_support_t * type_of()
{
  return rosidl_typesupport_cpp::get_message_type_support_handle<Message>();
}

template <typename Message>
Bytes serialized(const Message & message)
{
  const lockstep::MessageCodec codec(type_of<Message>());
  Bytes bytes(codec.max_size(&message), 0xaa);
  bytes.resize(codec.serialize(&message, bytes.data(), bytes.size()));
  return bytes;
}

template <typename Message>
bool deserialize(const Bytes & bytes, Message & message)
{
  // A copy of its own size, so that a sanitizer sees what is read behind the end.
  const Bytes exactly(bytes.begin(), bytes.end());
  return lockstep::MessageCodec(type_of<Message>())
    .deserialize(exactly.data(), exactly.size(), &message);
}

template <typename Message>
void expect_round_trip(const Message & message)
{
  const Bytes bytes = serialized(message);
  Message read;
  ASSERT_TRUE(deserialize(bytes, read));
  EXPECT_EQ(read, message);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto end = bytes.begin() + static_cast<std::ptrdiff_t>(size);
    EXPECT_FALSE(deserialize(Bytes(bytes.begin(), end), read)) << size;
  }
}

std_msgs::msg::Float64MultiArray matrix()
{
  std_msgs::msg::Float64MultiArray array;
  array.layout.dim.resize(2);
  array.layout.dim[0].label = "rows";
  array.layout.dim[1].label = "columns";
  array.layout.dim[1].stride = 3;
  array.data = {1.0, -0.0, 1e300};
  return array;
}

/// A type that no package has, known to introspection alone.
class HandmadeType
{
public:
  explicit HandmadeType(std::vector<introspection::MessageMember> members)
  : members_(std::move(members))
  {
    description_.member_count_ = static_cast<std::uint32_t>(members_.size());
    description_.members_ = members_.data();
    type_.typesupport_identifier = introspection::typesupport_identifier;
    type_.data = &description_;
    type_.func = get_message_typesupport_handle_function;
  }

  const rosidl_message_type_support_t * type() const { return &type_; }
  bool accepts(const Bytes & body) const
  {
    Bytes bytes = {0, 1, 0, 0};
    bytes.insert(bytes.end(), body.begin(), body.end());
    return lockstep::CdrCheck(&type_).accepts(bytes.data(), bytes.size());
  }

private:
  std::vector<introspection::MessageMember> members_;
  introspection::MessageMembers description_{};
  rosidl_message_type_support_t type_{};
};

introspection::MessageMember member(std::uint8_t type)
{
  introspection::MessageMember member{};
  member.name_ = "field";
  member.type_id_ = type;
  return member;
}

introspection::MessageMember sequence(std::uint8_t type, std::size_t bound = 0)
{
  introspection::MessageMember sequence = member(type);
  sequence.is_array_ = true;
  sequence.array_size_ = bound;
  sequence.is_upper_bound_ = bound > 0;
  return sequence;
}

introspection::MessageMember array(std::uint8_t type, std::size_t size)
{
  introspection::MessageMember array = sequence(type, size);
  array.is_upper_bound_ = false;
  return array;
}

}  // namespace

TEST(MessageCodec, messages_survive_the_way_through_cdr_and_no_truncation_does)
{
  std_msgs::msg::Header header;
  header.stamp.sec = -1;
  header.frame_id = "some frame";
  expect_round_trip(header);
  expect_round_trip(matrix());
  expect_round_trip(std_msgs::msg::Empty());
  rcl_interfaces::msg::ParameterEvent event;
  event.node = "/node";
  event.new_parameters.resize(2);
  event.new_parameters[0].name = "first";
  event.new_parameters[0].value.string_array_value = {"a", "", "bcd"};
  event.changed_parameters.resize(1);
  event.changed_parameters[0].value.bool_array_value = {true, false};
  event.changed_parameters[0].value.double_array_value = {0.5};
  expect_round_trip(event);
}

TEST(MessageCodec, writes_zeros_into_gaps)
{
  std_msgs::msg::Float64MultiArray array;
  array.data = {1.0};
  EXPECT_EQ(serialized(array), (Bytes{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,    0,
                                      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f}));
}

TEST(MessageCodec, ignores_what_follows_the_message)
{
  Bytes bytes = serialized(matrix());
  bytes.insert(bytes.end(), 20, 0xff);
  std_msgs::msg::Float64MultiArray read;
  EXPECT_TRUE(deserialize(bytes, read));
  EXPECT_EQ(read, matrix());
}

TEST(MessageCodec, reads_either_byte_order_but_no_other_encapsulation)
{
  std_msgs::msg::String read;
  EXPECT_TRUE(deserialize(Bytes{0, 0, 0, 0, 0, 0, 0, 3, 'a', 'b', 0}, read));
  EXPECT_EQ(read.data, "ab");
  EXPECT_TRUE(deserialize(Bytes{0, 1, 0, 0, 3, 0, 0, 0, 'c', 'd', 0}, read));
  EXPECT_EQ(read.data, "cd");
  for (const std::uint8_t kind : {2, 3, 6, 7, 8, 9, 10, 11, 255}) {
    EXPECT_FALSE(deserialize(Bytes{0, kind, 0, 0, 3, 0, 0, 0, 'c', 'd', 0}, read));
  }
  EXPECT_FALSE(deserialize(Bytes{1, 1, 0, 0, 3, 0, 0, 0, 'c', 'd', 0}, read));
}

TEST(MessageCodec, refuses_lengths_beyond_the_end_at_any_depth)
{
  const Bytes right = serialized(matrix());
  std_msgs::msg::Float64MultiArray read;
  // Where the number of dimensions stands, the lengths of both labels, and the number of data.
  for (const std::size_t at : {4, 8, 28, 52}) {
    for (const std::uint8_t high : {0x00, 0x10, 0x7f, 0xff}) {
      Bytes wrong = right;
      std::fill_n(wrong.begin() + static_cast<std::ptrdiff_t>(at), 3, 0xff);
      wrong[at + 3] = high;
      EXPECT_FALSE(deserialize(wrong, read)) << at;
    }
  }
}

TEST(MessageCodec, says_which_type_support_is_missing)
{
  const HandmadeType handmade({member(introspection::ROS_TYPE_INT32)});
  EXPECT_THROW(lockstep::MessageCodec{handmade.type()}, std::runtime_error);
}

TEST(CdrCheck, wide_strings_have_four_bytes_for_each_character)
{
  const HandmadeType type({member(introspection::ROS_TYPE_WSTRING)});
  EXPECT_TRUE(type.accepts({0, 0, 0, 0}));
  EXPECT_TRUE(type.accepts({2, 0, 0, 0, 'a', 0, 0, 0, 'b', 0, 0, 0}));
  EXPECT_FALSE(type.accepts({2, 0, 0, 0, 'a', 0, 0, 0, 'b', 0, 0}));
  EXPECT_FALSE(type.accepts({0xff, 0xff, 0xff, 0xff, 'a', 0, 0, 0}));
}

TEST(CdrCheck, sequences_keep_to_their_bound)
{
  const HandmadeType type({sequence(introspection::ROS_TYPE_UINT8, 2)});
  EXPECT_TRUE(type.accepts({2, 0, 0, 0, 7, 7}));
  EXPECT_FALSE(type.accepts({3, 0, 0, 0, 7, 7, 7}));
}

TEST(CdrCheck, arrays_of_a_fixed_size_have_no_length)
{
  const HandmadeType type(
    {array(introspection::ROS_TYPE_INT16, 3), member(introspection::ROS_TYPE_WCHAR)});
  EXPECT_TRUE(type.accepts({1, 0, 2, 0, 3, 0, 'a', 0}));
  EXPECT_FALSE(type.accepts({1, 0, 2, 0, 3, 0, 'a'}));
}

TEST(CdrCheck, numbers_are_aligned_but_an_empty_sequence_is_not)
{
  const HandmadeType type(
    {sequence(introspection::ROS_TYPE_DOUBLE), member(introspection::ROS_TYPE_UINT8),
     member(introspection::ROS_TYPE_LONG_DOUBLE)});
  Bytes body(8 + 16, 0);  // length, byte, gap of three, number
  EXPECT_TRUE(type.accepts(body));
  body.pop_back();
  EXPECT_FALSE(type.accepts(body));
}
