#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "lockstep/host/errors.hpp"
#include "lockstep/host/parameter_value.hpp"
#include "node/check.hpp"
#include "node/parameter_overrides.hpp"
#include "rcl/allocator.h"

using lockstep::ParameterValue;

namespace
{

/// What a node's parameters become by a command line.
std::map<std::string, ParameterValue> overrides(
  std::vector<const char *> arguments, const std::string & node)
{
  arguments.insert(arguments.begin(), {"program", "--ros-args"});
  rcl_arguments_t parsed = rcl_get_zero_initialized_arguments();
  lockstep::check(
    rcl_parse_arguments(
      static_cast<int>(arguments.size()), arguments.data(), rcl_get_default_allocator(), &parsed),
    "parsing");
  std::map<std::string, ParameterValue> values;
  for (const auto & [name, message] : lockstep::parameter_overrides(parsed, node)) {
    values[name] = lockstep::from_msg(message).value_or(ParameterValue{std::string("none")});
  }
  lockstep::check(rcl_arguments_fini(&parsed), "finishing");
  return values;
}

}  // namespace

TEST(ParameterOverrides, have_the_types_of_yaml)
{
  const auto values = overrides(
    {"-p", "b:=true", "-p", "i:=3", "-p", "d:=3.0", "-p", "s:=text", "-p", "bs:=[true, false]",
     "-p", "is:=[1, 2]", "-p", "ds:=[1.0, 2.5]", "-p", "ss:=[a, b]"},
    "/node");
  const std::map<std::string, ParameterValue> expected = {
    {"b", true},
    {"i", std::int64_t{3}},
    {"d", 3.0},
    {"s", std::string("text")},
    {"bs", std::vector<bool>{true, false}},
    {"is", std::vector<std::int64_t>{1, 2}},
    {"ds", std::vector<double>{1.0, 2.5}},
    {"ss", std::vector<std::string>{"a", "b"}}};
  EXPECT_EQ(values, expected);
}

TEST(ParameterOverrides, of_other_nodes_are_ignored)
{
  const auto values = overrides({"-p", "imu:gain:=1.0", "-p", "gps:gain:=2.0"}, "/imu");
  EXPECT_EQ(values, (std::map<std::string, ParameterValue>{{"gain", 1.0}}));
}

TEST(ParameterOverrides, the_last_one_wins)
{
  const std::string path = testing::TempDir() + "lockstep_overrides.yaml";
  std::ofstream(path) << "/**:\n  ros__parameters: {gain: 1.0, kept: 1.0}\n"
                      << "/robot/imu:\n  ros__parameters: {gain: 2.0, nested: {gain: 3.0}}\n";
  EXPECT_EQ(
    overrides({"--params-file", path.c_str(), "-p", "imu:gain:=4.0"}, "/robot/imu"),
    (std::map<std::string, ParameterValue>{{"gain", 2.0}, {"kept", 1.0}, {"nested.gain", 3.0}}));
  EXPECT_EQ(
    overrides({"--params-file", path.c_str(), "-p", "gain:=4.0", "-p", "gain:=5.0"}, "/gps"),
    (std::map<std::string, ParameterValue>{{"gain", 5.0}, {"kept", 1.0}}));
  std::remove(path.c_str());
}

TEST(ParameterOverrides, wildcards_stand_for_tokens_of_a_node_name)
{
  using lockstep::matches;
  EXPECT_TRUE(matches("/**", "/imu"));
  EXPECT_TRUE(matches("/**", "/robot/arm/imu"));
  EXPECT_TRUE(matches("/*", "/imu"));
  EXPECT_FALSE(matches("/*", "/robot/imu"));
  EXPECT_TRUE(matches("/robot/**", "/robot/arm/imu"));
  EXPECT_TRUE(matches("/**/imu", "/imu"));
  EXPECT_TRUE(matches("/**/imu", "/robot/arm/imu"));
  EXPECT_TRUE(matches("/*/imu", "/robot/imu"));
  EXPECT_FALSE(matches("/*/imu", "/robot/arm/imu"));
  EXPECT_TRUE(matches("imu", "/imu"));
  EXPECT_FALSE(matches("imu", "/robot/imu"));
  EXPECT_FALSE(matches("/im", "/imu"));
  EXPECT_TRUE(matches("/**/arm/**/imu", "/robot/arm/arm/left/imu"));
  EXPECT_TRUE(matches("/**/arm/*/imu", "/arm/x/y/arm/left/imu"));
  EXPECT_FALSE(matches("/**/arm/*/imu", "/arm/x/y/arm/imu"));
  EXPECT_TRUE(matches("/imu/**/**", "/imu"));
  EXPECT_FALSE(matches("/imu/*", "/imu"));
  EXPECT_FALSE(matches("/", "/imu"));
  EXPECT_FALSE(matches("", "/imu"));
}

TEST(ParameterOverrides, a_pattern_that_is_no_node_name_is_an_error_of_the_user)
{
  for (const char * pattern : {"/(", "/imu.*", "/***", "/im*", "/imu-2"}) {
    EXPECT_THROW(lockstep::matches(pattern, "/imu"), lockstep::UsageError) << pattern;
  }
}
