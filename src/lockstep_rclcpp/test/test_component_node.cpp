#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/registration.hpp"
#include "lockstep_rclcpp/component_node.hpp"
#include "std_msgs/msg/int64.hpp"
#include "std_msgs/msg/string.hpp"

using lockstep_rclcpp::ComponentNode;
using lockstep_rclcpp::message_type;
using std_msgs::msg::Int64;
using std_msgs::msg::String;

/// Answers where in memory it has seen the message.
class Witness : public lockstep::Component
{
  Input<String> text{this, "text", &Witness::on_text};
  Output<Int64> place{this, "place"};

  void on_text(const String & msg)
  {
    Int64 answer;
    answer.data = reinterpret_cast<std::intptr_t>(&msg);
    place.publish(answer);
  }
};

LOCKSTEP_COMPONENT(Witness)

/// Publishes when it starts and when it ends.
class Greeter : public lockstep::Component
{
  Output<Int64> greeting{this, "greeting"};

  void on_start() override { greet(1); }
  void greet(std::int64_t data)
  {
    Int64 message;
    message.data = data;
    greeting.publish(message);
  }

public:
  ~Greeter() override { greet(2); }
};

static const lockstep::Registration greeter("Greeter", [] { return std::make_unique<Greeter>(); });

class ComponentNodeTest : public testing::Test
{
protected:
  static void SetUpTestSuite() { rclcpp::init(0, nullptr); }
  static void TearDownTestSuite() { rclcpp::shutdown(); }
};

TEST_F(ComponentNodeTest, takes_and_gives_messages_within_the_process)
{
  const auto options = rclcpp::NodeOptions().use_intra_process_comms(true);
  const auto witness = std::make_shared<ComponentNode>(
    "Witness", options,
    std::vector<lockstep_rclcpp::MessageType>{message_type<String>(), message_type<Int64>()});
  const auto other = std::make_shared<rclcpp::Node>("other", options);
  const auto texts = other->create_publisher<String>("text", 10);
  std::vector<std::intptr_t> places;
  bool within_process = false;
  const auto answers = other->create_subscription<Int64>(
    "place", 10, [&](const Int64 & msg, const rclcpp::MessageInfo & info) {
      places.push_back(static_cast<std::intptr_t>(msg.data));
      within_process = info.get_rmw_message_info().from_intra_process;
    });
  ASSERT_EQ(texts->get_intra_process_subscription_count(), 1U);

  auto message = std::make_unique<String>();
  const auto sent = reinterpret_cast<std::intptr_t>(message.get());
  texts->publish(std::move(message));

  rclcpp::executors::SingleThreadedExecutor executor;
  executor.add_node(witness);
  executor.add_node(other);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (places.empty() && std::chrono::steady_clock::now() < end) {
    executor.spin_some(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(places, std::vector<std::intptr_t>{sent}) << "the message was copied on its way";
  EXPECT_TRUE(within_process);
}

TEST_F(ComponentNodeTest, passes_over_what_a_component_publishes_after_its_run)
{
  const auto options = rclcpp::NodeOptions().use_intra_process_comms(true);
  const auto other = std::make_shared<rclcpp::Node>("other", options);
  std::vector<std::int64_t> greetings;
  const auto subscription = other->create_subscription<Int64>(
    "greeting", 10, [&greetings](const Int64 & msg) { greetings.push_back(msg.data); });
  ComponentNode("Greeter", options, {message_type<Int64>()});
  rclcpp::executors::SingleThreadedExecutor executor;
  executor.add_node(other);
  executor.spin_some(std::chrono::seconds(1));
  EXPECT_EQ(greetings, std::vector<std::int64_t>{1});
}

TEST_F(ComponentNodeTest, names_the_port_whose_type_it_was_not_built_with)
{
  try {
    ComponentNode("Witness", rclcpp::NodeOptions(), {message_type<String>()});
    FAIL();
  } catch (const std::invalid_argument & error) {
    EXPECT_STREQ(
      error.what(),
      "port 'place' has the type std_msgs/msg/Int64, which this node was not built with; "
      "build it again");
  }
}
