#include "entities.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "link.hpp"

namespace rmw_lockstep
{

bool are_matched(const Endpoint & publisher, const Endpoint & subscription)
{
  return publisher.name == subscription.name && publisher.type == subscription.type &&
         (publisher.is_reliable() || !subscription.is_reliable()) &&
         (publisher.is_latched() || !subscription.is_latched());
}

Gid gid_of(const Endpoint & endpoint)
{
  Gid gid{'l', 'o', 'c', 'k', 's', 't', 'e', 'p'};
  std::memcpy(&gid[8], &endpoint.id, sizeof endpoint.id);
  std::memcpy(&gid[10], &endpoint.process, sizeof endpoint.process);
  return gid;
}

const std::vector<Entity *> & Entities::subscriptions(const std::string & topic) const
{
  static const std::vector<Entity *> none;
  const auto found = subscriptions_.find(topic);
  return found == subscriptions_.end() ? none : found->second;
}

Entity * Entities::find(EntityKind kind, std::uint16_t id) const
{
  const auto found = by_id_.find(id);
  return found == by_id_.end() || found->second->kind != kind ? nullptr : found->second;
}

std::uint16_t Entities::add(Entity & entity)
{
  if (next_id_ == 0) {
    give_up("this process has made more than 65535 entities");
  }
  entity.id = next_id_++;
  all_.push_back(&entity);
  by_id_[entity.id] = &entity;
  if (entity.kind == EntityKind::subscription) {
    subscriptions_[entity.name].push_back(&entity);
  }
  return entity.id;
}

void Entities::remove(Entity & entity)
{
  all_.erase(std::find(all_.begin(), all_.end(), &entity));
  by_id_.erase(entity.id);
  if (entity.kind == EntityKind::subscription) {
    auto & readers = subscriptions_[entity.name];
    readers.erase(std::find(readers.begin(), readers.end(), &entity));
  }
  with_messages_.erase(
    std::remove(with_messages_.begin(), with_messages_.end(), &entity), with_messages_.end());
}

void Entities::put(Entity & entity, Message message)
{
  if (entity.queue.size() >= entity.depth()) {
    entity.queue.pop_front();
    forget_one(entity);
    ++entity.dropped;
  }
  entity.queue.push_back(std::move(message));
  with_messages_.push_back(&entity);
}

bool Entities::take(Entity & entity, Message & message)
{
  if (entity.queue.empty()) {
    return false;
  }
  message = std::move(entity.queue.front());
  entity.queue.pop_front();
  entity.offers = 0;
  forget_one(entity);
  return true;
}

void Entities::forget_one(const Entity & entity)
{
  const auto found = std::find(with_messages_.begin(), with_messages_.end(), &entity);
  if (found != with_messages_.end()) {
    with_messages_.erase(found);
  }
}

}  // namespace rmw_lockstep
