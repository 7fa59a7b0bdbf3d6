#ifndef FAILURE_HPP_
#define FAILURE_HPP_

#include <string>

#include "rclcpp/rclcpp.hpp"

namespace lockstep_rclcpp
{

/// Log why the node failed, and have the process end with exit code 3.
///
/// rclcpp is shut down, so that executors stop and whatever else runs in the process can end well.
void end_process(rclcpp::Node & node, const std::string & reason);

}  // namespace lockstep_rclcpp

#endif  // FAILURE_HPP_
