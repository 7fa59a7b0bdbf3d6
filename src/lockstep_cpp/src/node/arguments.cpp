#include "arguments.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "host/ros_error.hpp"
#include "lockstep/host/errors.hpp"
#include "rcl/allocator.h"
#include "rcl/arguments.h"
#include "rcl/log_level.h"
#include "rcl_yaml_param_parser/parser.h"

namespace lockstep
{

namespace
{

/// The command line as rcl parses it, without starting anything.
class RosArguments
{
public:
  RosArguments(int argc, char ** argv) : argv_(argv)
  {
    if (rcl_parse_arguments(argc, argv, rcl_get_default_allocator(), &parsed_) != RCL_RET_OK) {
      throw UsageError(take_ros_error());
    }
  }
  ~RosArguments()
  {
    if (rcl_arguments_fini(&parsed_) != RCL_RET_OK) {
      take_ros_error();
    }
  }
  RosArguments(const RosArguments &) = delete;
  RosArguments & operator=(const RosArguments &) = delete;

  /// The arguments outside --ros-args, without the program's name.
  std::vector<std::string> others() const
  {
    return select(
      rcl_arguments_get_count_unparsed(&parsed_), rcl_arguments_get_unparsed, "reading arguments");
  }

  /// The arguments within --ros-args that mean nothing.
  std::vector<std::string> unknown() const
  {
    return select(
      rcl_arguments_get_count_unparsed_ros(&parsed_), rcl_arguments_get_unparsed_ros,
      "reading ROS arguments");
  }

  /// Whether -p or --params-file is among them.
  bool have_parameters() const
  {
    rcl_params_t * parameters = nullptr;
    check(rcl_arguments_get_param_overrides(&parsed_, &parameters), "reading parameters");
    if (parameters == nullptr) {
      return false;
    }
    rcl_yaml_node_struct_fini(parameters);
    return true;
  }

  std::vector<std::pair<std::string, int>> log_levels() const
  {
    rcl_log_levels_t levels = rcl_get_zero_initialized_log_levels();
    check(rcl_arguments_get_log_levels(&parsed_, &levels), "reading log levels");
    std::vector<std::pair<std::string, int>> log_levels;
    if (levels.default_logger_level != RCUTILS_LOG_SEVERITY_UNSET) {
      log_levels.emplace_back("", levels.default_logger_level);
    }
    for (std::size_t i = 0; i < levels.num_logger_settings; ++i) {
      const rcl_logger_setting_t & setting = levels.logger_settings[i];
      log_levels.emplace_back(setting.name, setting.level);
    }
    check(rcl_log_levels_fini(&levels), "reading log levels");
    return log_levels;
  }

private:
  using GetIndices = rcl_ret_t (*)(const rcl_arguments_t *, rcl_allocator_t, int **);

  std::vector<std::string> select(int count, GetIndices get_indices, const char * what) const
  {
    std::vector<std::string> selected;
    if (count > 0) {
      const rcl_allocator_t allocator = rcl_get_default_allocator();
      int * indices = nullptr;
      check(get_indices(&parsed_, allocator, &indices), what);
      for (int i = 0; i < count; ++i) {
        if (indices[i] > 0) {
          selected.emplace_back(argv_[indices[i]]);
        }
      }
      allocator.deallocate(indices, allocator.state);
    }
    return selected;
  }

  char ** argv_;
  rcl_arguments_t parsed_ = rcl_get_zero_initialized_arguments();
};

}  // namespace

Arguments parse_arguments(int argc, char ** argv)
{
  const RosArguments ros_arguments(argc, argv);
  Arguments arguments;
  for (const std::string & argument : ros_arguments.others()) {
    if (argument == "--help" || argument == "-h") {
      arguments.help = true;
    } else if (argument == "--contract") {
      arguments.contract = true;
    } else if (argument == "--lockstep") {
      arguments.lockstep = true;
    } else if (argument == "--direct") {
      arguments.direct = true;
    } else {
      throw UsageError("unknown argument '" + argument + "'; see --help");
    }
  }
  for (const std::string & argument : ros_arguments.unknown()) {
    throw UsageError("unknown ROS argument '" + argument + "' after --ros-args");
  }
  if (arguments.direct && arguments.lockstep) {
    throw UsageError("--direct and --lockstep exclude each other; leave out one of them");
  }
  if (arguments.direct && ros_arguments.have_parameters()) {
    throw UsageError("with --direct parameters come as frames; leave out -p and --params-file");
  }
  arguments.log_levels = ros_arguments.log_levels();
  return arguments;
}

std::string usage(const std::string & executable, const std::string & class_name)
{
  return "usage: " + executable +
         " [--help] [--contract] [--lockstep | --direct] [--ros-args …]\n"
         "\n"
         "Run the component " +
         class_name +
         " as a ROS 2 node.\n"
         "\n"
         "  --contract       print the component's contract as JSON and exit\n"
         "  --lockstep       consume messages in the order of the steps on /lockstep/steps\n"
         "  --direct         read inputs and write outputs as frames on stdin and stdout "
         "(docs/direct-protocol.md)\n"
         "  --ros-args …     remappings (-r), parameters (-p, --params-file), --log-level, …\n"
         "\n"
         "example: " +
         executable + " --ros-args -p use_sim_time:=true -r __ns:=/robot\n";
}

}  // namespace lockstep
