#include "lockstep/host/events.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

#include "component/json.hpp"
#include "lockstep/host/errors.hpp"

namespace lockstep
{

namespace
{

const char * kind_of(const std::exception & error)
{
  if (dynamic_cast<const UsageError *>(&error) != nullptr) {
    return "refused";
  }
  return dynamic_cast<const CallbackError *>(&error) != nullptr ? "callback" : "failed";
}

}  // namespace

void tell_error(const std::exception & error, const std::string & message)
{
  const char * const file = std::getenv("LOCKSTEP_EVENTS");
  if (file == nullptr) {
    return;
  }
  std::ofstream(file, std::ios::app)
    << "{\"event\": \"error\", \"kind\": " << quoted(kind_of(error))
    << ", \"message\": " << quoted(message) << "}\n";
}

}  // namespace lockstep
