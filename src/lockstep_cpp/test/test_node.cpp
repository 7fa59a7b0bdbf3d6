#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "lockstep/logger.hpp"
#include "node/context.hpp"
#include "node/node.hpp"

using lockstep::Severity;

namespace
{

/// What a logger writes without its node, with some text.
std::string without_node(const lockstep::Logger & logger, const std::string & text)
{
  testing::internal::CaptureStderr();
  logger.info(text);
  return testing::internal::GetCapturedStderr();
}

}  // namespace

class NodeTest : public testing::Test
{
protected:
  static void SetUpTestSuite() { setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "OFF", 1); }

  std::string program_ = "node";
  std::vector<char *> arguments_{program_.data()};
};

TEST_F(NodeTest, its_log_writes_to_the_terminal_when_the_node_is_gone)
{
  lockstep::Logger logger;
  {
    lockstep::Context context(1, arguments_.data());
    {
      const lockstep::Node node(context, "gone");
      logger.connect(node.log_sink());
    }
    EXPECT_NE(without_node(logger, "before ROS").find("[gone]: before ROS\n"), std::string::npos);
  }
  const std::string line = without_node(logger, "after ROS");
  EXPECT_EQ(line.substr(0, 7), "[INFO] ");
  EXPECT_NE(line.find("[gone]: after ROS\n"), std::string::npos);
  testing::internal::CaptureStderr();
  logger.debug("not at this level");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(NodeTest, another_thread_may_log_while_the_node_ends)
{
  testing::internal::CaptureStderr();
  lockstep::Logger logger;
  std::atomic<bool> ended{false};
  std::thread thread;
  {
    lockstep::Context context(1, arguments_.data());
    const lockstep::Node node(context, "ending");
    logger.connect(node.log_sink());
    thread = std::thread([&] {
      while (!ended) {
        logger.info("a line");
      }
      logger.info("the last line");
    });
  }
  ended = true;
  thread.join();
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_NE(lines.find("[ending]: the last line\n"), std::string::npos);
}
