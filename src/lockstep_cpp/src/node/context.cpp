#include "context.hpp"

#include <cstdarg>
#include <mutex>

#include "check.hpp"
#include "host/ros_error.hpp"
#include "lockstep/host/errors.hpp"
#include "rcl/allocator.h"
#include "rcl/init.h"
#include "rcl/init_options.h"
#include "rcl/logging.h"

namespace lockstep
{

namespace
{

// The middleware logs from its own threads; rcl's handlers leave locking to the client library.
void log_locked(
  const rcutils_log_location_t * location, int severity, const char * name,
  rcutils_time_point_value_t timestamp, const char * format, va_list * args)
{
  static std::recursive_mutex mutex;
  const std::scoped_lock lock(mutex);
  rcl_logging_multiple_output_handler(location, severity, name, timestamp, format, args);
}

}  // namespace

Context::Context(int argc, char ** argv) : context_(rcl_get_zero_initialized_context())
{
  rcl_init_options_t options = rcl_get_zero_initialized_init_options();
  check(rcl_init_options_init(&options, rcl_get_default_allocator()), "starting ROS");
  const rcl_ret_t ret = rcl_init(argc, argv, &options, &context_);
  if (rcl_init_options_fini(&options) != RCL_RET_OK) {
    take_ros_error();
  }
  if (ret != RCL_RET_OK) {
    throw UsageError(take_ros_error());  // arguments, or variables such as ROS_DOMAIN_ID
  }
  const rcl_allocator_t allocator = rcl_get_default_allocator();
  if (
    rcl_logging_configure_with_output_handler(&context_.global_arguments, &allocator, log_locked) !=
    RCL_RET_OK) {
    const UsageError error(take_ros_error());
    shut_down();
    throw error;
  }
}

Context::~Context() { shut_down(); }

void Context::shut_down()
{
  if (
    rcl_shutdown(&context_) != RCL_RET_OK || rcl_logging_fini() != RCL_RET_OK ||
    rcl_context_fini(&context_) != RCL_RET_OK) {
    take_ros_error();
  }
}

}  // namespace lockstep
