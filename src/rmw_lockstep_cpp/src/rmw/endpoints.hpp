#ifndef RMW__ENDPOINTS_HPP_
#define RMW__ENDPOINTS_HPP_

#include <memory>
#include <string>
#include <vector>

#include "../process/delivery.hpp"
#include "../process/harness.hpp"
#include "../process/run.hpp"
#include "codec.hpp"
#include "rmw/types.h"

namespace rmw_lockstep
{

inline constexpr const char * IDENTIFIER = "rmw_lockstep_cpp";
/// The node that publishes the topics of the harness, as others see it.
inline constexpr const char * HARNESS = "/lockstep";

struct Node
{
  std::string name;  ///< with its namespace
  rmw_guard_condition_t * graph_changed;
};

struct TopicEndpoint : Entity
{
  const MessageCallbacks * callbacks = nullptr;
};

struct ServiceEndpoint : Entity
{
  ServiceCallbacks callbacks;
  std::int64_t asked = 0;  ///< requests of a client so far
};

inline Node & node_of(const rmw_node_t * node) { return *static_cast<Node *>(node->data); }
inline TopicEndpoint & endpoint_of(const rmw_publisher_t * publisher)
{
  return *static_cast<TopicEndpoint *>(static_cast<Entity *>(publisher->data));
}
inline TopicEndpoint & endpoint_of(const rmw_subscription_t * subscription)
{
  return *static_cast<TopicEndpoint *>(static_cast<Entity *>(subscription->data));
}
inline ServiceEndpoint & endpoint_of(const rmw_service_t * service)
{
  return *static_cast<ServiceEndpoint *>(static_cast<Entity *>(service->data));
}
inline ServiceEndpoint & endpoint_of(const rmw_client_t * client)
{
  return *static_cast<ServiceEndpoint *>(static_cast<Entity *>(client->data));
}

/// The turn of the calling thread, and the lock on all that this library knows.
class Turn
{
public:
  Turn() : held(run().scheduler.lock) { run().scheduler.take_turn(held); }

  Held held;
};

/// The name of a node with its namespace.
std::string full_name(const std::string & name_space, const std::string & name);

/// QoS as it is: what is left to the middleware is decided.
rmw_qos_profile_t actual_qos(const rmw_qos_profile_t & asked);

/// An end of a topic that nobody knows yet; null if its type has no type support that we can use.
std::unique_ptr<TopicEndpoint> topic_endpoint(
  EntityKind kind, const Node & node, const rosidl_message_type_support_t & type_support,
  const char * topic, const rmw_qos_profile_t & qos);

/// Make an entity known, to this process and the harness.
void register_entity(Turn & turn, Entity & entity);
/// Forget it.
void unregister_entity(Turn & turn, Entity & entity);
/// All entities of a kind that nodes see: of this process, others, and the topics of the harness.
std::vector<Endpoint> endpoints(EntityKind kind);

/// Trigger a guard condition. Also for handlers of signals.
void trigger(GuardCondition & guard);

/// Call for each message that comes, and at once for those that have come.
void set_on_new(Entity & entity, rmw_event_callback_t call, const void * user_data);

}  // namespace rmw_lockstep

#endif  // RMW__ENDPOINTS_HPP_
