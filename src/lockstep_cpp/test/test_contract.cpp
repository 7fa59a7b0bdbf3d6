#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "component/json.hpp"
#include "lockstep/contract.hpp"
#include "std_msgs/msg/string.hpp"

namespace
{

class Small : public lockstep::Component
{
  using String = std_msgs::msg::String;
  Input<String> text{this, "text", &Small::on_text, lockstep::SENSOR_DATA, "/chat"};
  Output<String> answer{this, "answer"};
  Parameter<double> gain{this, "gain", 2.0, "\"how much\"", Minimum{0}, READ_ONLY};
  Parameter<std::vector<std::int64_t>> counts{this, "counts", {1, 2}, "", Maximum{5}};
  Timer tick{this, "tick", 0.02, &Small::on_tick};

  void on_text(const String &) {}
  void on_tick() {}
};

class Empty : public lockstep::Component
{
};

}  // namespace

TEST(Contract, is_the_json_that_python_writes)
{
  EXPECT_EQ(lockstep::to_json(lockstep::contract_of("Small", Small())), R"({
  "contract": 2,
  "component": "Small",
  "inputs": [
    {
      "name": "text",
      "topic": "/chat",
      "type": "std_msgs/msg/String",
      "type_hash": "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18",
      "qos": {
        "reliability": "best_effort",
        "durability": "volatile",
        "depth": 5
      }
    }
  ],
  "outputs": [
    {
      "name": "answer",
      "topic": "answer",
      "type": "std_msgs/msg/String",
      "type_hash": "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18",
      "qos": {
        "reliability": "reliable",
        "durability": "volatile",
        "depth": 10
      }
    }
  ],
  "parameters": [
    {
      "name": "gain",
      "type": "double",
      "default": 2.0,
      "description": "\"how much\"",
      "minimum": 0.0,
      "maximum": null,
      "read_only": true
    },
    {
      "name": "counts",
      "type": "integer_array",
      "default": [
        1,
        2
      ],
      "description": "",
      "minimum": null,
      "maximum": 5,
      "read_only": false
    }
  ],
  "timers": [
    {
      "name": "tick",
      "period_ns": 20000000
    }
  ]
})");
}

TEST(Contract, of_an_empty_component_has_empty_lists)
{
  EXPECT_EQ(lockstep::to_json(lockstep::contract_of("Empty", Empty())), R"({
  "contract": 2,
  "component": "Empty",
  "inputs": [],
  "outputs": [],
  "parameters": [],
  "timers": []
})");
}

TEST(Contract, tells_no_type_hash_where_the_type_support_has_none)
{
  const Small small;
  lockstep::Contract contract = lockstep::contract_of("Small", small);
  ASSERT_TRUE(contract.inputs.at(0).type_hash);
  contract.inputs.at(0).type_hash.reset();
  EXPECT_NE(lockstep::to_json(contract).find("\"type_hash\": null"), std::string::npos);
}

TEST(Json, doubles_are_written_as_python_does)
{
  using lockstep::shortest;
  EXPECT_EQ(shortest(0.0), "0.0");
  EXPECT_EQ(shortest(-0.0), "-0.0");
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(-2.0), "-2.0");
  EXPECT_EQ(shortest(1e-12), "1e-12");
  EXPECT_EQ(shortest(0.0001), "0.0001");
  EXPECT_EQ(shortest(0.00001), "1e-05");
  EXPECT_EQ(shortest(100000.0), "100000.0");
  EXPECT_EQ(shortest(1e15), "1000000000000000.0");
  EXPECT_EQ(shortest(1e16), "1e+16");
  EXPECT_EQ(shortest(1.0 / 3.0), "0.3333333333333333");
  EXPECT_EQ(shortest(5e-324), "5e-324");
  EXPECT_EQ(shortest(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(shortest(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(shortest(-std::numeric_limits<double>::infinity()), "-Infinity");
}

TEST(Json, strings_are_escaped_as_python_does)
{
  lockstep::JsonWriter json;
  json.value(std::string("\"\\/\n\t\x01 Åström"));
  EXPECT_EQ(json.text(), "\"\\\"\\\\/\\n\\t\\u0001 Åström\"");
}
