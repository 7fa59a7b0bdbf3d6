/// The middleware, its options and contexts.

#include <cstring>

#include "../process/real.hpp"
#include "../process/start.hpp"
#include "endpoints.hpp"
#include "rcutils/strdup.h"
#include "rmw/allocators.h"
#include "rmw/error_handling.h"
#include "rmw/features.h"
#include "rmw/rmw.h"

using namespace rmw_lockstep;

struct rmw_context_impl_s
{
  bool is_shut_down = false;
};

REPLACE const char * rmw_get_implementation_identifier() { return IDENTIFIER; }

REPLACE const char * rmw_get_serialization_format() { return "cdr"; }

REPLACE rmw_ret_t rmw_init_options_init(rmw_init_options_t * options, rcutils_allocator_t allocator)
{
  *options = rmw_get_zero_initialized_init_options();
  options->implementation_identifier = IDENTIFIER;
  options->allocator = allocator;
  options->domain_id = RMW_DEFAULT_DOMAIN_ID;
  options->security_options = rmw_get_zero_initialized_security_options();
  return rmw_discovery_options_init(&options->discovery_options, 0, &allocator);
}

REPLACE rmw_ret_t
rmw_init_options_copy(const rmw_init_options_t * source, rmw_init_options_t * target)
{
  rmw_init_options_t copy = *source;
  rcutils_allocator_t allocator = source->allocator;
  copy.enclave = source->enclave ? rcutils_strdup(source->enclave, allocator) : nullptr;
  copy.discovery_options = rmw_get_zero_initialized_discovery_options();
  rmw_ret_t result =
    rmw_discovery_options_copy(&source->discovery_options, &allocator, &copy.discovery_options);
  if (result != RMW_RET_OK) {
    return result;
  }
  copy.security_options = rmw_get_zero_initialized_security_options();
  result = rmw_security_options_copy(&source->security_options, &allocator, &copy.security_options);
  *target = copy;
  return result;
}

REPLACE rmw_ret_t rmw_init_options_fini(rmw_init_options_t * options)
{
  rcutils_allocator_t & allocator = options->allocator;
  if (options->enclave != nullptr) {
    allocator.deallocate(options->enclave, allocator.state);
  }
  rmw_ret_t result = rmw_security_options_fini(&options->security_options, &allocator);
  const rmw_ret_t other = rmw_discovery_options_fini(&options->discovery_options);
  *options = rmw_get_zero_initialized_init_options();
  return result != RMW_RET_OK ? result : other;
}

REPLACE rmw_ret_t rmw_init(const rmw_init_options_t * options, rmw_context_t * context)
{
  ensure_on();
  {
    const Turn turn;
    ensure_connected();
  }
  context->instance_id = options->instance_id;
  context->implementation_identifier = IDENTIFIER;
  context->actual_domain_id = options->domain_id == RMW_DEFAULT_DOMAIN_ID ? 0 : options->domain_id;
  context->impl = new rmw_context_impl_s;
  return rmw_init_options_copy(options, &context->options);
}

REPLACE rmw_ret_t rmw_shutdown(rmw_context_t * context)
{
  context->impl->is_shut_down = true;
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_context_fini(rmw_context_t * context)
{
  if (!context->impl->is_shut_down) {
    RMW_SET_ERROR_MSG("the context has not been shut down");
    return RMW_RET_INVALID_ARGUMENT;
  }
  delete context->impl;
  const rmw_ret_t result = rmw_init_options_fini(&context->options);
  *context = rmw_get_zero_initialized_context();
  return result;
}

REPLACE bool rmw_feature_supported(rmw_feature_t) { return false; }

REPLACE rmw_ret_t rmw_set_log_severity(rmw_log_severity_t) { return RMW_RET_OK; }
