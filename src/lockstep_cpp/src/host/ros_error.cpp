#include "ros_error.hpp"

#include <regex>
#include <string>

#include "lockstep/host/errors.hpp"
#include "rcutils/error_handling.h"

namespace lockstep
{

std::string take_ros_error()
{
  static const std::regex place(R"(, at [^\s,]+:\d+)");
  const std::string text =
    rcutils_error_is_set() ? rcutils_get_error_string().str : "unknown error";
  rcutils_reset_error();
  return one_line(std::regex_replace(text, place, ""));
}

}  // namespace lockstep
