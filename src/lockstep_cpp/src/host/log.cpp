#include "log.hpp"

#include <string>

#include "rcutils/logging.h"

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

}  // namespace lockstep
