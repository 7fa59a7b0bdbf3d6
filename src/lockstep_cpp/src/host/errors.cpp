#include "errors.hpp"

#include <regex>
#include <stdexcept>
#include <string>

#include "rcl/error_handling.h"

namespace lockstep
{

std::string take_rcl_error()
{
  static const std::regex place(R"(, at [^\s,]+:\d+)");
  const std::string text = rcl_error_is_set() ? rcl_get_error_string().str : "unknown error";
  rcl_reset_error();
  return one_line(std::regex_replace(text, place, ""));
}

void check(rcl_ret_t ret, const char * what)
{
  if (ret != RCL_RET_OK) {
    throw std::runtime_error(std::string(what) + ": " + take_rcl_error());
  }
}

void check(rcl_ret_t ret, const std::string & what) { check(ret, what.c_str()); }

std::string one_line(std::string text)
{
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  for (char & c : text) {
    if (c == '\n' || c == '\r') {
      c = ' ';
    }
  }
  return text;
}

}  // namespace lockstep
