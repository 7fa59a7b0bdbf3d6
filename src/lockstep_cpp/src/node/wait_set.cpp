#include "wait_set.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

#include "check.hpp"
#include "host/ros_error.hpp"
#include "rcl/allocator.h"

namespace lockstep
{

WaitSet::WaitSet(
  Context & context, std::size_t subscriptions, std::size_t guard_conditions, std::size_t services)
: wait_set_(rcl_get_zero_initialized_wait_set())
{
  check(
    rcl_wait_set_init(
      &wait_set_, subscriptions, guard_conditions, 0, 0, services, 0, context.handle(),
      rcl_get_default_allocator()),
    "creating the wait set");
}

WaitSet::~WaitSet()
{
  if (rcl_wait_set_fini(&wait_set_) != RCL_RET_OK) {
    take_ros_error();
  }
}

void WaitSet::clear() { check(rcl_wait_set_clear(&wait_set_), "clearing the wait set"); }

void WaitSet::add(const rcl_subscription_t & subscription)
{
  check(rcl_wait_set_add_subscription(&wait_set_, &subscription, nullptr), "waiting for messages");
}

void WaitSet::add(const rcl_guard_condition_t & guard_condition)
{
  check(
    rcl_wait_set_add_guard_condition(&wait_set_, &guard_condition, nullptr), "waiting for a stop");
}

void WaitSet::add(const rcl_service_t & service)
{
  check(rcl_wait_set_add_service(&wait_set_, &service, nullptr), "waiting for requests");
}

void WaitSet::wait(std::optional<std::chrono::nanoseconds> timeout)
{
  // rcl takes a negative timeout as none at all.
  const std::int64_t timeout_ns =
    timeout ? std::max<std::int64_t>(0, timeout->count()) : std::int64_t{-1};
  const rcl_ret_t ret = rcl_wait(&wait_set_, timeout_ns);
  if (ret == RCL_RET_TIMEOUT) {
    // Nothing is ready: ready() must say so.
    clear();
  } else {
    check(ret, "waiting");
  }
}

bool WaitSet::ready(const rcl_service_t & service) const
{
  const rcl_service_t ** end = wait_set_.services + wait_set_.size_of_services;
  return std::find(wait_set_.services, end, &service) != end;
}

}  // namespace lockstep
