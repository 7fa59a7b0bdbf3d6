#ifndef NODE__WAIT_SET_HPP_
#define NODE__WAIT_SET_HPP_

#include <chrono>
#include <cstddef>
#include <optional>

#include "context.hpp"
#include "rcl/wait.h"

namespace lockstep
{

/// What the one thread of a host sleeps on. Its memory is allocated once.
class WaitSet
{
public:
  WaitSet(
    Context & context, std::size_t subscriptions, std::size_t guard_conditions,
    std::size_t services);
  ~WaitSet();
  WaitSet(const WaitSet &) = delete;
  WaitSet & operator=(const WaitSet &) = delete;

  /// Empty the set. rcl_wait removes what is not ready, so it is filled anew for each wait.
  void clear();
  void add(const rcl_subscription_t & subscription);
  void add(const rcl_guard_condition_t & guard_condition);
  void add(const rcl_service_t & service);

  /// Sleep until something in the set is ready, or until the timeout.
  void wait(std::optional<std::chrono::nanoseconds> timeout = std::nullopt);

  /// Whether the last wait ended with a request waiting in `service`.
  bool ready(const rcl_service_t & service) const;

private:
  rcl_wait_set_t wait_set_;
};

}  // namespace lockstep

#endif  // NODE__WAIT_SET_HPP_
