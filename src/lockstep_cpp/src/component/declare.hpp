#ifndef COMPONENT__DECLARE_HPP_
#define COMPONENT__DECLARE_HPP_

#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep
{

/// Append a part of a component to those of its kind.
/// \throws std::invalid_argument if it has no name, or that of an earlier one
template <typename Part>
void declare(const char * kind, Part * part, std::vector<Part *> & parts)
{
  if (part->name().empty()) {
    throw std::invalid_argument(std::string("empty name of a component's ") + kind);
  }
  for (const Part * other : parts) {
    if (other->name() == part->name()) {
      throw std::invalid_argument(std::string(kind) + " '" + part->name() + "' is declared twice");
    }
  }
  parts.push_back(part);
}

}  // namespace lockstep

#endif  // COMPONENT__DECLARE_HPP_
