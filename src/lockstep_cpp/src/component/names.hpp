#ifndef COMPONENT__NAMES_HPP_
#define COMPONENT__NAMES_HPP_

#include <string>

namespace lockstep
{

/// \param kind "input", "output", "service" or "timer"
/// \throws std::invalid_argument for a name that the part could not have in Python as well, where
/// it is an attribute of its component. lockstep/component/names.py is the twin.
void check_name(const std::string & kind, const std::string & name);

/// \throws std::invalid_argument if the port `name` cannot have the topic: relative, absolute
/// (/tf) or of the node's own (~/state)
void check_topic(const std::string & kind, const std::string & name, const std::string & topic);

}  // namespace lockstep

#endif  // COMPONENT__NAMES_HPP_
