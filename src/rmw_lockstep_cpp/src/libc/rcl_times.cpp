/// The times of rcl: it asks rcutils for them, not the C library.
///
/// rcl's own timers go by the run's time, so that they fire exactly when they are due and what they
/// read does not count; a node that asks a clock gets what any other code reads.

#include "../process/real.hpp"
#include "rcl/timer.h"
#include "rcl/wait.h"
#include "rcutils/time.h"
#include "times.hpp"

using namespace rmw_lockstep;

namespace
{

thread_local __attribute__((tls_model("initial-exec"))) int within_rcl = 0;

/// While one of these is there, reading a clock does not count.
class WithinRcl
{
public:
  WithinRcl() { ++within_rcl; }
  ~WithinRcl() { --within_rcl; }
};

std::int64_t now() { return within_rcl > 0 ? run_time() : read_clock(); }

}  // namespace

REPLACE rcutils_ret_t rcutils_system_time_now(rcutils_time_point_value_t * time)
{
  if (!is_on()) {
    return REAL(rcutils_system_time_now)(time);
  }
  *time = now();
  return RCUTILS_RET_OK;
}

REPLACE rcutils_ret_t rcutils_steady_time_now(rcutils_time_point_value_t * time)
{
  if (!is_on()) {
    return REAL(rcutils_steady_time_now)(time);
  }
  *time = run().clock.steady(now());
  return RCUTILS_RET_OK;
}

REPLACE rcl_ret_t rcl_wait(rcl_wait_set_t * wait_set, std::int64_t timeout)
{
  const WithinRcl within;
  return REAL_OF("librcl.so", rcl_wait)(wait_set, timeout);
}

REPLACE rcl_ret_t rcl_timer_init2(
  rcl_timer_t * timer, rcl_clock_t * clock, rcl_context_t * context, std::int64_t period,
  const rcl_timer_callback_t callback, rcl_allocator_t allocator, bool autostart)
{
  const WithinRcl within;
  return REAL_OF("librcl.so", rcl_timer_init2)(
    timer, clock, context, period, callback, allocator, autostart);
}

REPLACE rcl_ret_t rcl_timer_call(rcl_timer_t * timer)
{
  const WithinRcl within;
  return REAL_OF("librcl.so", rcl_timer_call)(timer);
}

REPLACE rcl_ret_t rcl_timer_call_with_info(rcl_timer_t * timer, rcl_timer_call_info_t * info)
{
  const WithinRcl within;
  return REAL_OF("librcl.so", rcl_timer_call_with_info)(timer, info);
}

REPLACE rcl_ret_t rcl_timer_is_ready(const rcl_timer_t * timer, bool * is_ready)
{
  const WithinRcl within;
  return REAL_OF("librcl.so", rcl_timer_is_ready)(timer, is_ready);
}

REPLACE rcl_ret_t rcl_timer_get_time_until_next_call(const rcl_timer_t * timer, std::int64_t * time)
{
  const WithinRcl within;
  return REAL_OF("librcl.so", rcl_timer_get_time_until_next_call)(timer, time);
}

REPLACE rcl_ret_t rcl_timer_get_time_since_last_call(const rcl_timer_t * timer, std::int64_t * time)
{
  const WithinRcl within;
  return REAL_OF("librcl.so", rcl_timer_get_time_since_last_call)(timer, time);
}

REPLACE rcl_ret_t rcl_timer_reset(rcl_timer_t * timer)
{
  const WithinRcl within;
  return REAL_OF("librcl.so", rcl_timer_reset)(timer);
}
