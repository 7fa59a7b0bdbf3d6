#ifndef NODE__ARGUMENTS_HPP_
#define NODE__ARGUMENTS_HPP_

#include <string>
#include <utility>
#include <vector>

namespace lockstep
{

/// What a component's executable is asked to do, apart from `--ros-args`.
/// lockstep/nodes/arguments.py is the twin.
struct Arguments
{
  bool help = false;
  bool contract = false;
  bool lockstep = false;
  bool direct = false;
  /// Loggers and severities of --log-level; the empty name stands for every logger.
  std::vector<std::pair<std::string, int>> log_levels;
};

/// \throws UsageError for an unknown argument, for some that exclude each other, or for ROS
/// arguments that rcl does not understand
Arguments parse_arguments(int argc, char ** argv);

/// The text of `--help`.
std::string usage(const std::string & executable, const std::string & class_name);

}  // namespace lockstep

#endif  // NODE__ARGUMENTS_HPP_
