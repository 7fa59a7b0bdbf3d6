/// Subscriptions.

#include <cstring>
#include <memory>

#include "../process/passing_time.hpp"
#include "../process/real.hpp"
#include "endpoints.hpp"
#include "rmw/allocators.h"
#include "rmw/error_handling.h"
#include "rmw/rmw.h"

using namespace rmw_lockstep;

namespace
{

/// What a subscription that comes late gets of latched topics.
void deliver_latched(Turn & turn, TopicEndpoint & subscription)
{
  if (!subscription.is_latched()) {
    return;
  }
  std::vector<Message> messages;
  for (const InputTopic & topic : run().inputs) {
    if (topic.name == subscription.name) {
      messages.insert(messages.end(), topic.latched.begin(), topic.latched.end());
    }
  }
  for (const Entity * entity : run().entities.all()) {
    if (entity->kind == EntityKind::publisher && are_matched(*entity, subscription)) {
      messages.insert(messages.end(), entity->queue.begin(), entity->queue.end());
    }
  }
  for (const Message & message : messages) {
    deliver(turn.held, subscription, message);
  }
}

bool take(const rmw_subscription_t * subscription, Message & message, rmw_message_info_t * info)
{
  Turn turn;
  if (!run().entities.take(endpoint_of(subscription), message)) {
    return false;
  }
  spend_cost(turn.held);
  if (info != nullptr) {
    *info = rmw_get_zero_initialized_message_info();
    info->source_timestamp = message.sent_ns;
    info->received_timestamp = message.received_ns;
    info->publication_sequence_number = RMW_MESSAGE_INFO_SEQUENCE_NUMBER_UNSUPPORTED;
    info->reception_sequence_number = RMW_MESSAGE_INFO_SEQUENCE_NUMBER_UNSUPPORTED;
    info->publisher_gid.implementation_identifier = IDENTIFIER;
    std::memcpy(info->publisher_gid.data, message.gid.data(), message.gid.size());
  }
  return true;
}

}  // namespace

REPLACE rmw_subscription_t * rmw_create_subscription(
  const rmw_node_t * node, const rosidl_message_type_support_t * type_support, const char * topic,
  const rmw_qos_profile_t * qos, const rmw_subscription_options_t * options)
{
  std::unique_ptr<TopicEndpoint> known =
    topic_endpoint(EntityKind::subscription, node_of(node), *type_support, topic, *qos);
  if (!known) {
    return nullptr;
  }
  rmw_subscription_t * subscription = rmw_subscription_allocate();
  *subscription = {};
  subscription->implementation_identifier = IDENTIFIER;
  subscription->topic_name = known->name.c_str();
  subscription->options = *options;
  Turn turn;
  known->ignores_own_process = options->ignore_local_publications;
  register_entity(turn, *known);
  deliver_latched(turn, *known);
  subscription->data = static_cast<Entity *>(known.release());
  return subscription;
}

REPLACE rmw_ret_t rmw_destroy_subscription(rmw_node_t *, rmw_subscription_t * subscription)
{
  const std::unique_ptr<TopicEndpoint> known(&endpoint_of(subscription));
  Turn turn;
  unregister_entity(turn, *known);
  rmw_subscription_free(subscription);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_take_with_info(
  const rmw_subscription_t * subscription, void * message, bool * taken, rmw_message_info_t * info,
  rmw_subscription_allocation_t *)
{
  Message received;
  *taken = take(subscription, received, info);
  if (!*taken) {
    return RMW_RET_OK;
  }
  const auto & bytes = *received.payload;
  const auto & callbacks = *endpoint_of(subscription).callbacks;
  return deserialize(callbacks, bytes.data(), bytes.size(), message) ? RMW_RET_OK : RMW_RET_ERROR;
}

REPLACE rmw_ret_t rmw_take(
  const rmw_subscription_t * subscription, void * message, bool * taken,
  rmw_subscription_allocation_t * allocation)
{
  return rmw_take_with_info(subscription, message, taken, nullptr, allocation);
}

REPLACE rmw_ret_t rmw_take_sequence(
  const rmw_subscription_t * subscription, size_t count, rmw_message_sequence_t * messages,
  rmw_message_info_sequence_t * infos, size_t * taken, rmw_subscription_allocation_t * allocation)
{
  for (*taken = 0; *taken < count; ++*taken) {
    bool is_taken = false;
    const rmw_ret_t result = rmw_take_with_info(
      subscription, messages->data[*taken], &is_taken, &infos->data[*taken], allocation);
    if (result != RMW_RET_OK) {
      return result;
    }
    if (!is_taken) {
      break;
    }
  }
  messages->size = *taken;
  infos->size = *taken;
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_take_serialized_message_with_info(
  const rmw_subscription_t * subscription, rmw_serialized_message_t * message, bool * taken,
  rmw_message_info_t * info, rmw_subscription_allocation_t *)
{
  Message received;
  *taken = take(subscription, received, info);
  if (!*taken) {
    return RMW_RET_OK;
  }
  const auto & bytes = *received.payload;
  if (
    message->buffer_capacity < bytes.size() &&
    rmw_serialized_message_resize(message, bytes.size()) != RMW_RET_OK) {
    return RMW_RET_BAD_ALLOC;
  }
  std::memcpy(message->buffer, bytes.data(), bytes.size());
  message->buffer_length = bytes.size();
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_take_serialized_message(
  const rmw_subscription_t * subscription, rmw_serialized_message_t * message, bool * taken,
  rmw_subscription_allocation_t * allocation)
{
  return rmw_take_serialized_message_with_info(subscription, message, taken, nullptr, allocation);
}

REPLACE rmw_ret_t
rmw_subscription_count_matched_publishers(const rmw_subscription_t * subscription, size_t * count)
{
  const Turn turn;
  const Endpoint & known = endpoint_of(subscription);
  *count = 0;
  for (const Endpoint & endpoint : endpoints(EntityKind::publisher)) {
    const bool is_input = endpoint.node == HARNESS && endpoint.name == known.name;
    *count += is_input || are_matched(endpoint, known);
  }
  return RMW_RET_OK;
}

REPLACE rmw_ret_t
rmw_subscription_get_actual_qos(const rmw_subscription_t * subscription, rmw_qos_profile_t * qos)
{
  *qos = endpoint_of(subscription).qos;
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_subscription_set_on_new_message_callback(
  rmw_subscription_t * subscription, rmw_event_callback_t call, const void * user_data)
{
  set_on_new(endpoint_of(subscription), call, user_data);
  return RMW_RET_OK;
}
