// A component that passes messages on, and counts what the host's thread allocates outside rcl
// between message 1000 and 2000. Everything that allocates ends in malloc, and the host calls rcl
// through the functions below.

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "lockstep/component.hpp"
#include "lockstep/host.hpp"
#include "lockstep/registration.hpp"
#include "rcl/publisher.h"
#include "rcl/service.h"
#include "rcl/subscription.h"
#include "rcl/wait.h"
#include "std_msgs/msg/header.hpp"

namespace
{

thread_local bool counting = false;
thread_local int within_rcl = 0;
thread_local std::int64_t allocations = 0;

void count()
{
  if (counting && within_rcl == 0) {
    ++allocations;
  }
}

template <typename Function, typename... Arguments>
auto call_rcl(const char * name, Function *, Arguments... arguments)
{
  ++within_rcl;
  const auto result = reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name))(arguments...);
  --within_rcl;
  return result;
}

}  // namespace

extern "C" {
void * __libc_malloc(std::size_t size);
void * __libc_calloc(std::size_t count, std::size_t size);
void * __libc_realloc(void * memory, std::size_t size);

void * malloc(std::size_t size)
{
  count();
  return __libc_malloc(size);
}

void * calloc(std::size_t number, std::size_t size)
{
  count();
  return __libc_calloc(number, size);
}

void * realloc(void * memory, std::size_t size)
{
  count();
  return __libc_realloc(memory, size);
}

rcl_ret_t rcl_take(
  const rcl_subscription_t * subscription, void * message, rmw_message_info_t * info,
  rmw_subscription_allocation_t * allocation)
{
  return call_rcl("rcl_take", &rcl_take, subscription, message, info, allocation);
}

rcl_ret_t rcl_publish(
  const rcl_publisher_t * publisher, const void * message, rmw_publisher_allocation_t * allocation)
{
  return call_rcl("rcl_publish", &rcl_publish, publisher, message, allocation);
}

rcl_ret_t rcl_publish_serialized_message(
  const rcl_publisher_t * publisher, const rcl_serialized_message_t * message,
  rmw_publisher_allocation_t * allocation)
{
  return call_rcl(
    "rcl_publish_serialized_message", &rcl_publish_serialized_message, publisher, message,
    allocation);
}

rcl_ret_t rcl_take_request(const rcl_service_t * service, rmw_request_id_t * id, void * request)
{
  return call_rcl("rcl_take_request", &rcl_take_request, service, id, request);
}

rcl_ret_t rcl_wait(rcl_wait_set_t * wait_set, std::int64_t timeout_ns)
{
  return call_rcl("rcl_wait", &rcl_wait, wait_set, timeout_ns);
}

rcl_ret_t rcl_wait_set_clear(rcl_wait_set_t * wait_set)
{
  return call_rcl("rcl_wait_set_clear", &rcl_wait_set_clear, wait_set);
}
}

class Relay : public lockstep::Component
{
  using Header = std_msgs::msg::Header;
  Input<Header> header{this, "header", &Relay::on_header};
  Output<Header> relayed{this, "relayed"};
  Output<Header> beats{this, "beats"};
  Timer beat{this, "beat", 0.001, &Relay::on_beat};
  Parameter<bool> wasteful{this, "wasteful", false, "whether the component allocates, too"};

  void on_header(const Header & msg)
  {
    ++messages_;
    if (messages_ == 2000) {
      counting = false;
      logger.info(std::to_string(allocations) + " allocations");
    }
    if (wasteful) {
      waste_.push_back(std::make_unique<int>(0));
    }
    relayed.publish(msg);
    if (messages_ == 1000) {
      waste_.reserve(3000);
      counting = true;
    }
  }

  void on_beat()
  {
    beat_.stamp = lockstep::to_stamp(now());
    beats.publish(beat_);
  }

  int messages_ = 0;
  std::vector<std::unique_ptr<int>> waste_;
  Header beat_;
};

LOCKSTEP_COMPONENT(Relay)

int main(int argc, char ** argv) { return lockstep::host_main(argc, argv, "Relay"); }
