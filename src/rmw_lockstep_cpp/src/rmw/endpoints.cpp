#include "endpoints.hpp"

#include <algorithm>
#include <cstring>

#include "rcutils/allocator.h"
#include "rosidl_runtime_c/type_hash.h"

namespace rmw_lockstep
{

namespace
{

const char * word_of(EntityKind kind)
{
  switch (kind) {
    case EntityKind::publisher:
      return "publisher";
    case EntityKind::subscription:
      return "subscription";
    case EntityKind::service:
      return "service";
    default:
      return "client";
  }
}

std::string text_of(const rosidl_type_hash_t & hash)
{
  char * text = nullptr;
  rcutils_allocator_t allocator = rcutils_get_default_allocator();
  if (rosidl_stringify_type_hash(&hash, allocator, &text) != RCUTILS_RET_OK) {
    rcutils_reset_error();
    return {};
  }
  const std::string result(text);
  allocator.deallocate(text, allocator.state);
  return result;
}

/// What the harness is told of an entity; names hold no characters that JSON would escape.
std::string json_of(const Entity & entity)
{
  const rmw_qos_profile_t & qos = entity.qos;
  const bool keeps_all = qos.history == RMW_QOS_POLICY_HISTORY_KEEP_ALL;
  return std::string("{\"kind\": \"") + word_of(entity.kind) + "\", \"name\": \"" + entity.name +
         "\", \"type\": \"" + entity.type + "\", \"type_hash\": \"" + text_of(entity.type_hash) +
         "\", \"node\": \"" + entity.node +
         "\", \"depth\": " + std::to_string(keeps_all ? 0 : qos.depth) + ", \"reliability\": \"" +
         (entity.is_reliable() ? "reliable" : "best_effort") + "\", \"durability\": \"" +
         (entity.is_latched() ? "transient_local" : "volatile") + "\"}";
}

}  // namespace

std::string full_name(const std::string & name_space, const std::string & name)
{
  const bool is_root = name_space.empty() || name_space == "/";
  return (is_root ? "" : name_space) + "/" + name;
}

rmw_qos_profile_t actual_qos(const rmw_qos_profile_t & asked)
{
  rmw_qos_profile_t qos = asked;
  if (qos.history != RMW_QOS_POLICY_HISTORY_KEEP_ALL) {
    qos.history = RMW_QOS_POLICY_HISTORY_KEEP_LAST;
    qos.depth = std::max<std::size_t>(1, qos.depth);
  }
  if (qos.reliability != RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT) {
    qos.reliability = RMW_QOS_POLICY_RELIABILITY_RELIABLE;
  }
  if (qos.durability != RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL) {
    qos.durability = RMW_QOS_POLICY_DURABILITY_VOLATILE;
  }
  if (qos.liveliness != RMW_QOS_POLICY_LIVELINESS_MANUAL_BY_TOPIC) {
    qos.liveliness = RMW_QOS_POLICY_LIVELINESS_AUTOMATIC;
  }
  return qos;
}

std::unique_ptr<TopicEndpoint> topic_endpoint(
  EntityKind kind, const Node & node, const rosidl_message_type_support_t & type_support,
  const char * topic, const rmw_qos_profile_t & qos)
{
  const MessageCallbacks * callbacks = callbacks_of(&type_support);
  if (callbacks == nullptr) {
    return nullptr;
  }
  auto made = std::make_unique<TopicEndpoint>();
  made->kind = kind;
  made->name = topic;
  made->type = type_of(*callbacks);
  made->type_hash = *type_support.get_type_hash_func(&type_support);
  made->node = node.name;
  made->qos = actual_qos(qos);
  made->callbacks = callbacks;
  return made;
}

void register_entity(Turn &, Entity & entity)
{
  run().entities.add(entity);
  const std::string json = json_of(entity);
  send(lockstep::FrameKind::entity, entity.id, json.data(), json.size());
  graph_has_changed();
}

void unregister_entity(Turn &, Entity & entity)
{
  if (entity.dropped > 0) {
    tell_dropped(entity);
  }
  run().entities.remove(entity);
  send(lockstep::FrameKind::gone, entity.id, nullptr, 0);
  graph_has_changed();
}

void trigger(GuardCondition & guard)
{
  if (run().scheduler.lock.is_mine()) {
    guard.is_triggered = true;
    return;
  }
  const Held held(run().scheduler.lock);
  trigger_held(guard);
  run().scheduler.let_run();
}

void set_on_new(Entity & entity, rmw_event_callback_t call, const void * user_data)
{
  std::size_t untold = 0;
  {
    const Turn turn;
    entity.on_new = call;
    entity.user_data = user_data;
    if (call != nullptr) {
      std::swap(untold, entity.untold);
    }
  }
  if (untold > 0) {
    call(user_data, untold);
  }
}

}  // namespace rmw_lockstep
