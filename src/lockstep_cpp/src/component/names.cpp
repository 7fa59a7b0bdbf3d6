#include "names.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace lockstep
{

namespace
{

/// Attributes of every component in Python.
constexpr std::array<const char *, 12> TAKEN = {
  "host",     "inputs",  "listeners",        "logger",     "now",      "on_parameters_changed",
  "on_start", "outputs", "parameter_values", "parameters", "services", "timers"};

/// What on_<name> is called for that is no port and no timer.
constexpr std::array<const char *, 2> HOOKS = {"parameters_changed", "start"};

template <typename Names>
bool contains(const Names & names, const std::string & name)
{
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Not std::isalpha, which depends on the locale.
bool starts_identifier(char c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool continues_identifier(char c) { return starts_identifier(c) || (c >= '0' && c <= '9'); }

bool is_identifier(const std::string & text)
{
  return !text.empty() && starts_identifier(text.front()) &&
         std::all_of(text.begin(), text.end(), continues_identifier);
}

bool is_topic(const std::string & topic)
{
  std::size_t begin = topic.rfind("~/", 0) == 0 ? 2 : topic.rfind('/', 0) == 0 ? 1 : 0;
  while (true) {
    const std::size_t end = topic.find('/', begin);
    if (!is_identifier(topic.substr(begin, end - begin))) {
      return false;
    }
    if (end == std::string::npos) {
      return true;
    }
    begin = end + 1;
  }
}

}  // namespace

void check_name(const std::string & kind, const std::string & name)
{
  const std::string part = kind + " '" + name + "' ";
  if (contains(TAKEN, name)) {
    throw std::invalid_argument(
      part +
      "has the name of an attribute that every component has; choose another name, and give a port "
      "its topic, or a parameter its ROS name, by itself");
  }
  if (contains(HOOKS, name) && kind != "output") {
    throw std::invalid_argument(
      part + "cannot have this name, because on_" + name +
      " is called for another reason; choose another name");
  }
  if (!is_identifier(name)) {
    throw std::invalid_argument(
      part +
      "has a name that is no identifier; use letters, digits and underscores, and no digit at the "
      "beginning");
  }
}

void check_topic(const std::string & kind, const std::string & name, const std::string & topic)
{
  if (!is_topic(topic)) {
    throw std::invalid_argument(
      kind + " '" + name + "' has the topic '" + topic +
      "', which is no name of a ROS topic; use letters, digits, underscores and single slashes, no "
      "digit at the beginning of a part, and ~/ in front alone");
  }
}

}  // namespace lockstep
