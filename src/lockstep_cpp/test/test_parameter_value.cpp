#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/host/parameter_value.hpp"
#include "rcl_interfaces/msg/parameter_type.hpp"

using lockstep::ParameterValue;
using rcl_interfaces::msg::ParameterType;

TEST(ParameterValue, survives_the_way_through_a_message)
{
  const std::vector<ParameterValue> values = {
    true,
    std::int64_t{-3},
    0.1,
    std::string("text"),
    std::vector<bool>{true, false},
    std::vector<std::int64_t>{1, 2},
    std::vector<double>{0.5},
    std::vector<std::string>{}};
  for (const ParameterValue & value : values) {
    const auto message = lockstep::to_msg(value);
    EXPECT_EQ(lockstep::from_msg(message), value);
    EXPECT_STREQ(lockstep::type_name(message.type), lockstep::type_name(value));
  }
}

TEST(ParameterValue, is_nothing_without_a_type_and_for_bytes)
{
  rcl_interfaces::msg::ParameterValue message;
  EXPECT_EQ(lockstep::from_msg(message), std::nullopt);
  message.type = ParameterType::PARAMETER_BYTE_ARRAY;
  EXPECT_EQ(lockstep::from_msg(message), std::nullopt);
  message.type = 200;
  EXPECT_EQ(lockstep::from_msg(message), std::nullopt);
  EXPECT_STREQ(lockstep::type_name(message.type), "unknown");
}
