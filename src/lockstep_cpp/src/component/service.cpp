#include "lockstep/service.hpp"

#include <string>

#include "names.hpp"

namespace lockstep
{

namespace
{

/// What the topic of a service's requests is called, after the service,
constexpr const char * REQUESTS = "/_request";
/// and that of its responses.
constexpr const char * RESPONSES = "/_response";
/// What the output of the responses is called, after the service.
constexpr const char * OF_RESPONSES = "_response";

/// \return the service's name on the graph
/// \throws std::invalid_argument if it cannot have it, or its name in the component
const std::string & checked(const std::string & name, const std::string & service)
{
  const std::string & given = service.empty() ? name : service;
  check_name("service", name);
  check_topic("service", name, given);
  return given;
}

}  // namespace

ServicePort::ServicePort(
  Component & owner, const std::string & name, const std::string & service, const char * type,
  const rosidl_message_type_support_t * type_support,
  const rosidl_service_type_support_t * service_type_support)
: InputPort(owner, name, checked(name, service) + REQUESTS, QoS{}, type, type_support),
  service_name_(service.empty() ? name : service),
  service_type_support_(service_type_support)
{
}

std::string ServicePort::name_of_responses() const { return name() + OF_RESPONSES; }

std::string ServicePort::topic_of_responses() const { return service_name_ + RESPONSES; }

}  // namespace lockstep
