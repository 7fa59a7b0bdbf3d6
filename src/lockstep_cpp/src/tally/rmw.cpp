// What rcl calls of the middleware to take messages, with a tally of it. Loaded before all else
// (LD_PRELOAD) into a node that knows nothing of Lockstep, so that what its queues lose is known.

#include <dlfcn.h>
#include <rmw/dynamic_message_type_support.h>
#include <rmw/rmw.h>

#include <cstdio>
#include <cstdlib>

#include "tally.hpp"

namespace
{

/// The function of this name that the library around `caller` would have called.
template <typename Function>
Function * next(Function * /* of the same type */, const char * name, void * caller)
{
  Dl_info info;
  void * library = nullptr;
  // Not RTLD_NEXT, which does not see what Python loads.
  if (dladdr(caller, &info) != 0) {
    library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  }
  void * const function = library == nullptr ? nullptr : dlsym(library, name);
  if (function == nullptr) {
    std::fprintf(stderr, "lockstep: %s is not found in the middleware\n", name);
    std::abort();
  }
  return reinterpret_cast<Function *>(function);
}

}  // namespace

#define LOCKSTEP_NEXT(name) \
  static auto * const original = next(&name, #name, __builtin_return_address(0))

#define LOCKSTEP_TALLIED(call)                          \
  const rmw_ret_t result = call;                        \
  if (result == RMW_RET_OK && *taken) {                 \
    lockstep::note_taken(*subscription, *message_info); \
  }                                                     \
  return result

extern "C" {

rmw_subscription_t * rmw_create_subscription(
  const rmw_node_t * node, const rosidl_message_type_support_t * type_support,
  const char * topic_name, const rmw_qos_profile_t * qos_policies,
  const rmw_subscription_options_t * subscription_options)
{
  LOCKSTEP_NEXT(rmw_create_subscription);
  rmw_subscription_t * const subscription =
    original(node, type_support, topic_name, qos_policies, subscription_options);
  if (subscription != nullptr) {
    lockstep::note_subscription(*subscription);
  }
  return subscription;
}

rmw_ret_t rmw_destroy_subscription(rmw_node_t * node, rmw_subscription_t * subscription)
{
  LOCKSTEP_NEXT(rmw_destroy_subscription);
  if (subscription != nullptr) {
    lockstep::note_end(*subscription);
  }
  return original(node, subscription);
}

rmw_ret_t rmw_take_with_info(
  const rmw_subscription_t * subscription, void * ros_message, bool * taken,
  rmw_message_info_t * message_info, rmw_subscription_allocation_t * allocation)
{
  LOCKSTEP_NEXT(rmw_take_with_info);
  LOCKSTEP_TALLIED(original(subscription, ros_message, taken, message_info, allocation));
}

rmw_ret_t rmw_take_serialized_message_with_info(
  const rmw_subscription_t * subscription, rmw_serialized_message_t * serialized_message,
  bool * taken, rmw_message_info_t * message_info, rmw_subscription_allocation_t * allocation)
{
  LOCKSTEP_NEXT(rmw_take_serialized_message_with_info);
  LOCKSTEP_TALLIED(original(subscription, serialized_message, taken, message_info, allocation));
}

rmw_ret_t rmw_take_loaned_message_with_info(
  const rmw_subscription_t * subscription, void ** loaned_message, bool * taken,
  rmw_message_info_t * message_info, rmw_subscription_allocation_t * allocation)
{
  LOCKSTEP_NEXT(rmw_take_loaned_message_with_info);
  LOCKSTEP_TALLIED(original(subscription, loaned_message, taken, message_info, allocation));
}

rmw_ret_t rmw_take_dynamic_message_with_info(
  const rmw_subscription_t * subscription, rosidl_dynamic_typesupport_dynamic_data_t * dynamic_data,
  bool * taken, rmw_message_info_t * message_info, rmw_subscription_allocation_t * allocation)
{
  LOCKSTEP_NEXT(rmw_take_dynamic_message_with_info);
  LOCKSTEP_TALLIED(original(subscription, dynamic_data, taken, message_info, allocation));
}

rmw_ret_t rmw_take_sequence(
  const rmw_subscription_t * subscription, size_t count, rmw_message_sequence_t * message_sequence,
  rmw_message_info_sequence_t * message_info_sequence, size_t * taken,
  rmw_subscription_allocation_t * allocation)
{
  LOCKSTEP_NEXT(rmw_take_sequence);
  const rmw_ret_t result =
    original(subscription, count, message_sequence, message_info_sequence, taken, allocation);
  for (size_t i = 0; result == RMW_RET_OK && i < *taken; ++i) {
    lockstep::note_taken(*subscription, message_info_sequence->data[i]);
  }
  return result;
}
}
