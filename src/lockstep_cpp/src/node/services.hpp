#ifndef NODE__SERVICES_HPP_
#define NODE__SERVICES_HPP_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "lockstep/service.hpp"
#include "node.hpp"
#include "rcl/service.h"
#include "rosidl_typesupport_cpp/service_type_support.hpp"
#include "wait_set.hpp"

namespace lockstep
{

/// A service of the node, whatever its type.
class ServiceBase
{
public:
  explicit ServiceBase(Node & node) : node_(node), service_(rcl_get_zero_initialized_service()) {}
  virtual ~ServiceBase();
  ServiceBase(const ServiceBase &) = delete;
  ServiceBase & operator=(const ServiceBase &) = delete;

  const rcl_service_t & handle() const { return service_; }

  /// Answer the requests that have arrived.
  virtual void answer() = 0;

protected:
  /// \return false if no request has arrived
  bool take(rmw_request_id_t & id, void * request);

  /// Take requests of a type from now on.
  /// \throws std::runtime_error for a name that is impossible
  void offer(
    const rosidl_service_type_support_t * type, const std::string & name,
    const rmw_qos_profile_t & qos);

  /// A client that has gone away meanwhile is no error.
  void respond(rmw_request_id_t & id, void * response);

  Node & node_;
  rcl_service_t service_;
};

/// A service of a type generated for C++.
template <typename Type>
class TypedService : public ServiceBase
{
public:
  using Handle =
    std::function<void(const typename Type::Request & request, typename Type::Response & response)>;

  TypedService(Node & node, const std::string & name, const rmw_qos_profile_t & qos, Handle handle)
  : ServiceBase(node), handle_(std::move(handle))
  {
    offer(rosidl_typesupport_cpp::get_service_type_support_handle<Type>(), name, qos);
  }

  void answer() override
  {
    rmw_request_id_t id;
    while (true) {
      typename Type::Request request;
      if (!take(id, &request)) {
        return;
      }
      typename Type::Response response;
      handle_(request, response);
      respond(id, &response);
    }
  }

private:
  Handle handle_;
};

/// A service that the component offers.
class HostedService : public ServiceBase
{
public:
  /// Gives the component the request in the buffer of the port, which responds meanwhile.
  using Deliver = std::function<void(InputPort & port)>;

  HostedService(Node & node, ServicePort & port, Deliver deliver);
  void answer() override;

  /// Send the response to the request that is being answered.
  void respond(const void * response);

private:
  ServicePort & port_;
  Deliver deliver_;
  rmw_request_id_t request_{};
};

/// ~/get_type_description, which rcl answers itself.
class TypeDescriptionService : public ServiceBase
{
public:
  explicit TypeDescriptionService(Node & node);
  void answer() override;
};

/// All services of the node.
class Services
{
public:
  void add(std::unique_ptr<ServiceBase> service) { services_.push_back(std::move(service)); }
  std::size_t size() const { return services_.size(); }

  void add_to(WaitSet & wait_set) const;

  /// Answer the requests that ended the last wait.
  void answer(const WaitSet & wait_set) const;

private:
  std::vector<std::unique_ptr<ServiceBase>> services_;
};

}  // namespace lockstep

#endif  // NODE__SERVICES_HPP_
