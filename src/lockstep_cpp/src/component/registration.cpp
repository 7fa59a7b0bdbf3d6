#include "lockstep/registration.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lockstep
{

namespace
{

// A function, so that it exists before the first registration of any library.
std::multimap<std::string, const Registration *> & registrations()
{
  static std::multimap<std::string, const Registration *> registrations;
  return registrations;
}

bool is_upper(char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; }
bool is_lower(char c) { return std::islower(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

}  // namespace

Registration::Registration(const std::string & class_name, ComponentFactory factory)
: name_(unqualified(class_name)), factory_(std::move(factory))
{
  registrations().emplace(name_, this);
}

Registration::~Registration()
{
  const auto [begin, end] = registrations().equal_range(name_);
  registrations().erase(
    std::find_if(begin, end, [this](const auto & entry) { return entry.second == this; }));
}

std::unique_ptr<Component> make_component(const std::string & class_name)
{
  const std::string name = unqualified(class_name);
  const auto entry = registrations().find(name);
  if (entry == registrations().end()) {
    throw std::invalid_argument(
      "no loaded library has the component " + class_name + "; is LOCKSTEP_COMPONENT(" +
      class_name + ") in its source?");
  }
  if (registrations().count(name) > 1) {
    throw std::invalid_argument(
      "several loaded libraries have a component " + name +
      "; load them in processes of their own, or rename one");
  }
  return entry->second->factory()();
}

std::vector<std::string> registered_components()
{
  std::vector<std::string> names;
  for (const auto & entry : registrations()) {
    names.push_back(entry.first);
  }
  return names;
}

std::string unqualified(const std::string & class_name)
{
  const std::size_t separator = class_name.rfind(':');
  return separator == std::string::npos ? class_name : class_name.substr(separator + 1);
}

std::string snake_case(const std::string & class_name)
{
  std::string snake;
  for (std::size_t i = 0; i < class_name.size(); ++i) {
    const char c = class_name[i];
    if (i > 0 && is_upper(c)) {
      const char previous = class_name[i - 1];
      const bool starts_word = is_lower(previous) || is_digit(previous);
      const bool ends_acronym =
        is_upper(previous) && i + 1 < class_name.size() && is_lower(class_name[i + 1]);
      if (starts_word || ends_acronym) {
        snake += '_';
      }
    }
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return snake;
}

}  // namespace lockstep
