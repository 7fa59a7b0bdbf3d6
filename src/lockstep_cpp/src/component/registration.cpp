#include "lockstep/registration.hpp"

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
std::map<std::string, ComponentFactory> & factories()
{
  static std::map<std::string, ComponentFactory> factories;
  return factories;
}

bool is_upper(char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; }
bool is_lower(char c) { return std::islower(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

}  // namespace

Registration::Registration(const std::string & class_name, ComponentFactory factory)
{
  factories()[unqualified(class_name)] = std::move(factory);
}

std::unique_ptr<Component> make_component(const std::string & class_name)
{
  const auto entry = factories().find(unqualified(class_name));
  if (entry == factories().end()) {
    throw std::invalid_argument(
      "no loaded library has the component " + class_name + "; is LOCKSTEP_COMPONENT(" +
      class_name + ") in its source?");
  }
  return entry->second();
}

std::vector<std::string> registered_components()
{
  std::vector<std::string> names;
  for (const auto & entry : factories()) {
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
