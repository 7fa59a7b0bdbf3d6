#include "services.hpp"

#include <memory>
#include <string>
#include <utility>

#include "check.hpp"
#include "host/ros_error.hpp"
#include "rmw/qos_profiles.h"
#include "type_description_interfaces/srv/get_type_description.h"

namespace lockstep
{

ServiceBase::~ServiceBase()
{
  if (rcl_service_fini(&service_, node_.handle()) != RCL_RET_OK) {
    take_ros_error();
  }
}

bool ServiceBase::take(rmw_request_id_t & id, void * request)
{
  const rcl_ret_t ret = rcl_take_request(&service_, &id, request);
  if (ret == RCL_RET_SERVICE_TAKE_FAILED) {
    return false;
  }
  check(ret, "reading a request");
  return true;
}

void ServiceBase::respond(rmw_request_id_t & id, void * response)
{
  if (rcl_send_response(&service_, &id, response) != RCL_RET_OK) {
    node_.log(
      Severity::warning, std::string("a response of ") + rcl_service_get_service_name(&service_) +
                           " was not sent: " + take_ros_error());
  }
}

void ServiceBase::offer(
  const rosidl_service_type_support_t * type, const std::string & name,
  const rmw_qos_profile_t & qos)
{
  rcl_service_options_t options = rcl_service_get_default_options();
  options.qos = qos;
  check(
    rcl_service_init(&service_, node_.handle(), type, name.c_str(), &options),
    "creating the service '" + name + "'");
}

HostedService::HostedService(Node & node, ServicePort & port, Deliver deliver)
: ServiceBase(node), port_(port), deliver_(std::move(deliver))
{
  offer(port.service_type_support(), port.service_name(), rmw_qos_profile_services_default);
}

void HostedService::answer()
{
  while (take(request_, port_.buffer())) {
    deliver_(port_);
  }
}

void HostedService::respond(const void * response)
{
  // rcl takes no pointer to const, but only reads.
  ServiceBase::respond(request_, const_cast<void *>(response));
}

TypeDescriptionService::TypeDescriptionService(Node & node) : ServiceBase(node)
{
  check(
    rcl_node_type_description_service_init(&service_, node.handle()),
    "creating the service ~/get_type_description");
}

void TypeDescriptionService::answer()
{
  using Request = type_description_interfaces__srv__GetTypeDescription_Request;
  using Response = type_description_interfaces__srv__GetTypeDescription_Response;
  const std::unique_ptr<Request, void (*)(Request *)> request(
    type_description_interfaces__srv__GetTypeDescription_Request__create(),
    type_description_interfaces__srv__GetTypeDescription_Request__destroy);
  rmw_request_id_t id;
  while (take(id, request.get())) {
    const std::unique_ptr<Response, void (*)(Response *)> response(
      type_description_interfaces__srv__GetTypeDescription_Response__create(),
      type_description_interfaces__srv__GetTypeDescription_Response__destroy);
    rcl_node_type_description_service_handle_request(
      node_.handle(), &id, request.get(), response.get());
    respond(id, response.get());
  }
}

void Services::add_to(WaitSet & wait_set) const
{
  for (const auto & service : services_) {
    wait_set.add(service->handle());
  }
}

void Services::answer(const WaitSet & wait_set) const
{
  for (const auto & service : services_) {
    if (wait_set.ready(service->handle())) {
      service->answer();
    }
  }
}

}  // namespace lockstep
