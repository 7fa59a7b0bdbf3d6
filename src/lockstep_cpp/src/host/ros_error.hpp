#ifndef HOST__ROS_ERROR_HPP_
#define HOST__ROS_ERROR_HPP_

#include <string>

namespace lockstep
{

/// The text of the last error of rcl, rmw or rcutils, which keep one between them, without the
/// places in their sources; clears the error.
std::string take_ros_error();

}  // namespace lockstep

#endif  // HOST__ROS_ERROR_HPP_
