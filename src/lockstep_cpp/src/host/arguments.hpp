#ifndef HOST__ARGUMENTS_HPP_
#define HOST__ARGUMENTS_HPP_

#include <string>

namespace lockstep
{

/// What a component's executable is asked to do, apart from `--ros-args`.
struct Arguments
{
  bool help = false;
  bool contract = false;
  bool lockstep = false;
};

/// \throws UsageError for an unknown argument, or for ROS arguments that rcl does not understand
Arguments parse_arguments(int argc, char ** argv);

/// The text of `--help`.
std::string usage(const std::string & executable, const std::string & class_name);

}  // namespace lockstep

#endif  // HOST__ARGUMENTS_HPP_
