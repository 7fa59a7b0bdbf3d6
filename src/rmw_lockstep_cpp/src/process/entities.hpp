#ifndef PROCESS__ENTITIES_HPP_
#define PROCESS__ENTITIES_HPP_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "rmw/event_callback_type.h"
#include "rmw/types.h"
#include "rosidl_runtime_c/type_hash.h"

namespace rmw_lockstep
{

using Payload = std::shared_ptr<const std::vector<std::uint8_t>>;
using Gid = std::array<std::uint8_t, 16>;

/// What stands before the CDR of a request or response in a frame: gid and sequence number.
inline constexpr std::size_t REQUEST_HEAD = sizeof(Gid) + sizeof(std::int64_t);

/// A message, request or response in CDR.
struct Message
{
  Payload payload;
  std::int64_t sent_ns = 0;
  std::int64_t received_ns = 0;
  Gid gid{};  ///< of the client that asked
  std::int64_t sequence = 0;
};

enum class EntityKind : std::uint8_t
{
  publisher,
  subscription,
  service,
  client
};

/// What the graph knows of an entity.
struct Endpoint
{
  EntityKind kind = EntityKind::publisher;
  std::uint16_t id = 0;       ///< within its process
  std::uint16_t process = 0;  ///< its number, from 1 on; 0: this one
  std::string name;           ///< of the topic or service
  std::string type;
  rosidl_type_hash_t type_hash{};
  std::string node;
  rmw_qos_profile_t qos{};

  bool is_latched() const { return qos.durability == RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL; }
  bool is_reliable() const { return qos.reliability != RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT; }
};

/// Whether a subscription gets what a publisher publishes: as with any middleware, not if it is of
/// another type, or wants more of its QoS than is offered.
bool are_matched(const Endpoint & publisher, const Endpoint & subscription);

/// A number for an endpoint that is the same in every run.
Gid gid_of(const Endpoint & endpoint);

/// A publisher, subscription, service or client of this process.
struct Entity : Endpoint
{
  std::deque<Message> queue;  ///< of what was received, or what a latched publisher has published
  rmw_event_callback_t on_new = nullptr;
  const void * user_data = nullptr;
  std::size_t untold = 0;     ///< how many came while nobody wanted to be called
  std::uint64_t dropped = 0;  ///< how many the queue had no room for, or nobody served
  std::uint32_t offers = 0;   ///< in a row that nobody took

  /// Whether it was offered so often that who waits for it does not take what it has: it is busy
  /// waiting, for something else.
  bool is_left_waiting() const { return offers >= 10 && !queue.empty(); }

  bool ignores_own_process = false;  ///< a subscription: what is published here

  std::size_t depth() const
  {
    return qos.history == RMW_QOS_POLICY_HISTORY_KEEP_ALL ? SIZE_MAX : qos.depth;
  }
};

struct GuardCondition
{
  bool is_triggered = false;
};

/// What a thread in rmw_wait waits for.
struct EntityWait
{
  const std::vector<Entity *> * entities;
  const std::vector<GuardCondition *> * guards;
  Entity * chosen = nullptr;
  std::vector<GuardCondition *> triggered{};
};

/// The entities of this process, what they have received, and in which order.
class Entities
{
public:
  const std::vector<Entity *> & all() const { return all_; }
  /// The subscriptions to a topic, in the order in which they were made.
  const std::vector<Entity *> & subscriptions(const std::string & topic) const;
  /// The entity of a number; null if there is none of this kind.
  Entity * find(EntityKind kind, std::uint16_t id) const;

  /// Its number, counted over the whole life of the process.
  std::uint16_t add(Entity & entity);
  void remove(Entity & entity);

  /// Put a message into a queue; what has no room goes, the oldest first.
  void put(Entity & entity, Message message);
  /// The oldest message of a queue; false if there is none.
  bool take(Entity & entity, Message & message);

  /// Those with a message, one entry for each message, in the order in which they came.
  const std::deque<Entity *> & with_messages() const { return with_messages_; }

  void add_graph_guard(GuardCondition & guard) { graph_guards_.insert(&guard); }
  void remove_graph_guard(GuardCondition & guard) { graph_guards_.erase(&guard); }
  const std::set<GuardCondition *> & graph_guards() const { return graph_guards_; }

private:
  void forget_one(const Entity & entity);

  std::vector<Entity *> all_;
  std::unordered_map<std::uint16_t, Entity *> by_id_;
  std::unordered_map<std::string, std::vector<Entity *>> subscriptions_;  ///< by topic
  std::deque<Entity *> with_messages_;
  std::set<GuardCondition *> graph_guards_;
  std::uint16_t next_id_ = 1;
};

}  // namespace rmw_lockstep

#endif  // PROCESS__ENTITIES_HPP_
