#include "failure.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "lockstep/host/errors.hpp"

namespace lockstep_rclcpp
{

namespace
{

constexpr int RUN_FAILED = 3;

}  // namespace

void end_process(rclcpp::Node & node, const std::string & reason)
{
  RCLCPP_FATAL(node.get_logger(), "%s: %s", node.get_name(), lockstep::one_line(reason).c_str());
  // A container's main returns 0 whatever happened.
  std::atexit([] {
    std::fflush(nullptr);
    std::_Exit(RUN_FAILED);
  });
  rclcpp::shutdown(node.get_node_base_interface()->get_context(), "a component failed");
}

}  // namespace lockstep_rclcpp
