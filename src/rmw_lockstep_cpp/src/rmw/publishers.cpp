/// Publishers.

#include <cstring>
#include <memory>
#include <utility>

#include "../process/real.hpp"
#include "endpoints.hpp"
#include "rmw/allocators.h"
#include "rmw/error_handling.h"
#include "rmw/rmw.h"

using namespace rmw_lockstep;

namespace
{

/// To the harness, and to subscriptions of this process; who subscribes late gets what is latched.
void publish(TopicEndpoint & publisher, std::vector<std::uint8_t> bytes)
{
  Turn turn;
  Run & run = rmw_lockstep::run();
  send(lockstep::FrameKind::output, publisher.id, bytes.data(), bytes.size());
  Message message;
  message.sent_ns = run.clock.now_ns();
  message.payload = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  message.gid = gid_of(publisher);
  if (publisher.is_latched()) {
    if (publisher.queue.size() >= publisher.depth()) {
      publisher.queue.pop_front();
    }
    publisher.queue.push_back(message);
  }
  distribute(turn.held, publisher, message);
}

}  // namespace

REPLACE rmw_publisher_t * rmw_create_publisher(
  const rmw_node_t * node, const rosidl_message_type_support_t * type_support, const char * topic,
  const rmw_qos_profile_t * qos, const rmw_publisher_options_t * options)
{
  std::unique_ptr<TopicEndpoint> known =
    topic_endpoint(EntityKind::publisher, node_of(node), *type_support, topic, *qos);
  if (!known) {
    return nullptr;
  }
  rmw_publisher_t * publisher = rmw_publisher_allocate();
  *publisher = {};
  publisher->implementation_identifier = IDENTIFIER;
  publisher->topic_name = known->name.c_str();
  publisher->options = *options;
  Turn turn;
  register_entity(turn, *known);
  publisher->data = static_cast<Entity *>(known.release());
  return publisher;
}

REPLACE rmw_ret_t rmw_destroy_publisher(rmw_node_t *, rmw_publisher_t * publisher)
{
  const std::unique_ptr<TopicEndpoint> known(&endpoint_of(publisher));
  Turn turn;
  unregister_entity(turn, *known);
  rmw_publisher_free(publisher);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t
rmw_publish(const rmw_publisher_t * publisher, const void * message, rmw_publisher_allocation_t *)
{
  TopicEndpoint & known = endpoint_of(publisher);
  std::vector<std::uint8_t> bytes;
  if (!serialize(*known.callbacks, message, bytes)) {
    return RMW_RET_ERROR;
  }
  publish(known, std::move(bytes));
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_publish_serialized_message(
  const rmw_publisher_t * publisher, const rmw_serialized_message_t * message,
  rmw_publisher_allocation_t *)
{
  const std::uint8_t * bytes = message->buffer;
  publish(endpoint_of(publisher), std::vector<std::uint8_t>(bytes, bytes + message->buffer_length));
  return RMW_RET_OK;
}

REPLACE rmw_ret_t
rmw_publisher_count_matched_subscriptions(const rmw_publisher_t * publisher, size_t * count)
{
  const Turn turn;
  const Endpoint & known = endpoint_of(publisher);
  *count = 1;  // the harness, which records all
  for (const Endpoint & endpoint : endpoints(EntityKind::subscription)) {
    *count += are_matched(known, endpoint);
  }
  return RMW_RET_OK;
}

REPLACE rmw_ret_t
rmw_publisher_get_actual_qos(const rmw_publisher_t * publisher, rmw_qos_profile_t * qos)
{
  *qos = endpoint_of(publisher).qos;
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_publisher_assert_liveliness(const rmw_publisher_t *) { return RMW_RET_OK; }

REPLACE rmw_ret_t rmw_publisher_wait_for_all_acked(const rmw_publisher_t *, rmw_time_t)
{
  return RMW_RET_OK;  // what is published has arrived
}

REPLACE rmw_ret_t rmw_get_gid_for_publisher(const rmw_publisher_t * publisher, rmw_gid_t * gid)
{
  const Gid known = gid_of(endpoint_of(publisher));
  gid->implementation_identifier = IDENTIFIER;
  std::memcpy(gid->data, known.data(), known.size());
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_compare_gids_equal(const rmw_gid_t * a, const rmw_gid_t * b, bool * result)
{
  *result = std::memcmp(a->data, b->data, RMW_GID_STORAGE_SIZE) == 0;
  return RMW_RET_OK;
}
