#include "lockstep/host/log.hpp"

#include <string>
#include <utility>
#include <vector>

#include "lockstep/host/errors.hpp"
#include "rcutils/logging.h"
#include "ros_error.hpp"

namespace lockstep
{

void log(const char * logger, Severity severity, const std::string & text)
{
  // rcl's /rosout handler needs a location; a component's line has none that would help.
  static constexpr rcutils_log_location_t NOWHERE{"", "", 0};
  const int level = static_cast<int>(severity);
  if (rcutils_logging_logger_is_enabled_for(logger, level)) {
    rcutils_log(&NOWHERE, level, logger, "%s", text.c_str());
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
