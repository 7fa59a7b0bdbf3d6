#include "lockstep/logger.hpp"

#include <cstdio>
#include <string>

namespace lockstep
{

namespace
{

const char * name_of(Severity severity)
{
  switch (severity) {
    case Severity::debug:
      return "DEBUG";
    case Severity::info:
      return "INFO";
    case Severity::warning:
      return "WARN";
    case Severity::error:
      return "ERROR";
    case Severity::fatal:
      return "FATAL";
  }
  return "?";
}

}  // namespace

void Logger::log(Severity severity, const std::string & text) const
{
  if (sink_) {
    sink_(severity, text);
  } else {
    std::fprintf(stderr, "[%s]: %s\n", name_of(severity), text.c_str());
  }
}

}  // namespace lockstep
