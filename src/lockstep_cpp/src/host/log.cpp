#include "lockstep/host/log.hpp"

#include <cstdarg>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/host/errors.hpp"
#include "rcutils/logging.h"
#include "rcutils/time.h"
#include "ros_error.hpp"

namespace lockstep
{

namespace
{

// rcl's /rosout handler needs a location; a component's line has none that would help.
constexpr rcutils_log_location_t NOWHERE{"", "", 0};

void write_to_terminal(
  const char * logger, int level, rcutils_time_point_value_t now_ns, const char * format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  rcutils_logging_console_output_handler(&NOWHERE, level, logger, now_ns, format, &arguments);
  va_end(arguments);
}

}  // namespace

void log(const char * logger, Severity severity, const std::string & text)
{
  const int level = static_cast<int>(severity);
  if (rcutils_logging_logger_is_enabled_for(logger, level)) {
    rcutils_log(&NOWHERE, level, logger, "%s", text.c_str());
  }
}

void log_to_terminal(const char * logger, Severity severity, const std::string & text)
{
  const int level = static_cast<int>(severity);
  if (rcutils_logging_logger_is_enabled_for(logger, level)) {
    rcutils_time_point_value_t now_ns = 0;
    if (rcutils_system_time_now(&now_ns) != RCUTILS_RET_OK) {
      take_ros_error();
    }
    write_to_terminal(logger, level, now_ns, "%s", text.c_str());
  }
}

void set_log_levels(const std::vector<std::pair<std::string, int>> & log_levels)
{
  for (const auto & [logger, level] : log_levels) {
    if (rcutils_logging_set_logger_level(logger.c_str(), level) != RCUTILS_RET_OK) {
      throw UsageError(take_ros_error());
    }
  }
}

}  // namespace lockstep
