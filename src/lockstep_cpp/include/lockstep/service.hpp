#ifndef LOCKSTEP__SERVICE_HPP_
#define LOCKSTEP__SERVICE_HPP_

#include <functional>
#include <string>
#include <utility>

#include "lockstep/port.hpp"
#include "rosidl_runtime_c/service_type_support_struct.h"
#include "rosidl_typesupport_cpp/service_type_support.hpp"

namespace lockstep
{

/// A service as hosts see it: an input of its requests, and an output of its responses, which are
/// topics of their own in all runs but free ones. lockstep/component/service.py is the twin.
class ServicePort : public InputPort
{
public:
  /// The service's name before remapping; relative to the node's namespace unless it starts with '/'.
  const std::string & service_name() const { return service_name_; }

  /// \return where its responses go
  virtual const OutputPort & responses() const = 0;

  /// The rosidl type support of the service, as rcl takes it.
  const rosidl_service_type_support_t * service_type_support() const
  {
    return service_type_support_;
  }

  ServicePort * service() override { return this; }

protected:
  /// \throws std::invalid_argument for a name that is taken or impossible
  ServicePort(
    Component & owner, const std::string & name, const std::string & service, const char * type,
    const rosidl_message_type_support_t * type_support,
    const rosidl_service_type_support_t * service_type_support);

  /// What the output of the responses is called, and its topic.
  std::string name_of_responses() const;
  std::string topic_of_responses() const;

private:
  std::string service_name_;
  const rosidl_service_type_support_t * service_type_support_;
};

/// A service that the component offers: each request is given to the component's `on_<name>`, which
/// returns the response.
template <typename Type>
class Service : public ServicePort
{
public:
  using Request = typename Type::Request;
  using Response = typename Type::Response;

  /// \param owner the component: `this`
  /// \param name the name in the component, unique among its inputs and services
  /// \param callback the component's method that is given each request and returns the response
  /// \param service the name on the graph before remapping, such as "~/reset"; that in the component
  /// if empty
  /// \throws std::invalid_argument for a name that is taken or impossible
  template <typename Owner, typename Class>
  Service(
    Owner * owner, const std::string & name, Response (Class::*callback)(const Request &),
    const std::string & service = {})
  : ServicePort(
      *owner, name, service, rosidl_generator_traits::name<Request>(),
      rosidl_typesupport_cpp::get_message_type_support_handle<Request>(),
      rosidl_typesupport_cpp::get_service_type_support_handle<Type>()),
    responses_(owner, name_of_responses(), QoS{}, topic_of_responses()),
    callback_([owner, callback](const Request & request) { return (owner->*callback)(request); })
  {
  }

  void * buffer() override { return &request_; }
  using InputPort::deliver;
  void deliver(const void * message) override
  {
    responses_.publish(call(*static_cast<const Request *>(message)));
  }
  const OutputPort & responses() const override { return responses_; }

  /// Call the component's callback, as a test does.
  /// \param request what is asked
  /// \return the response
  Response call(const Request & request) { return callback_(request); }

private:
  Output<Response> responses_;
  std::function<Response(const Request &)> callback_;
  Request request_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__SERVICE_HPP_
