/// What this middleware does not have, and says so: loaned and dynamic messages, content filters,
/// network flow, allocations.

#include "../process/real.hpp"
#include "rmw/dynamic_message_type_support.h"
#include "rmw/error_handling.h"
#include "rmw/get_network_flow_endpoints.h"
#include "rmw/rmw.h"

namespace
{

rmw_ret_t unsupported()
{
  RMW_SET_ERROR_MSG("rmw_lockstep_cpp does not support this");
  return RMW_RET_UNSUPPORTED;
}

}  // namespace

REPLACE rmw_ret_t
rmw_publish_loaned_message(const rmw_publisher_t *, void *, rmw_publisher_allocation_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t
rmw_borrow_loaned_message(const rmw_publisher_t *, const rosidl_message_type_support_t *, void **)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_return_loaned_message_from_publisher(const rmw_publisher_t *, void *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_return_loaned_message_from_subscription(const rmw_subscription_t *, void *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_take_loaned_message(
  const rmw_subscription_t *, void **, bool *, rmw_subscription_allocation_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_take_loaned_message_with_info(
  const rmw_subscription_t *, void **, bool *, rmw_message_info_t *,
  rmw_subscription_allocation_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_take_dynamic_message(
  const rmw_subscription_t *, rosidl_dynamic_typesupport_dynamic_data_t *, bool *,
  rmw_subscription_allocation_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_take_dynamic_message_with_info(
  const rmw_subscription_t *, rosidl_dynamic_typesupport_dynamic_data_t *, bool *,
  rmw_message_info_t *, rmw_subscription_allocation_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_serialization_support_init(
  const char *, rcutils_allocator_t *, rosidl_dynamic_typesupport_serialization_support_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_subscription_set_content_filter(
  rmw_subscription_t *, const rmw_subscription_content_filter_options_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_subscription_get_content_filter(
  const rmw_subscription_t *, rcutils_allocator_t *, rmw_subscription_content_filter_options_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_get_serialized_message_size(
  const rosidl_message_type_support_t *, const rosidl_runtime_c__Sequence__bound *, size_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_init_publisher_allocation(
  const rosidl_message_type_support_t *, const rosidl_runtime_c__Sequence__bound *,
  rmw_publisher_allocation_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_fini_publisher_allocation(rmw_publisher_allocation_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_init_subscription_allocation(
  const rosidl_message_type_support_t *, const rosidl_runtime_c__Sequence__bound *,
  rmw_subscription_allocation_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_fini_subscription_allocation(rmw_subscription_allocation_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_publisher_get_network_flow_endpoints(
  const rmw_publisher_t *, rcutils_allocator_t *, rmw_network_flow_endpoint_array_t *)
{
  return unsupported();
}

REPLACE rmw_ret_t rmw_subscription_get_network_flow_endpoints(
  const rmw_subscription_t *, rcutils_allocator_t *, rmw_network_flow_endpoint_array_t *)
{
  return unsupported();
}
