#include "entities.hpp"

#include <algorithm>
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

std::uint16_t Entities::add(Entity & entity)
{
  if (next_id_ == 0) {
    give_up("this process has made more than 65535 entities");
  }
  entity.id = next_id_++;
  all_.push_back(&entity);
  return entity.id;
}

void Entities::remove(Entity & entity)
{
  all_.erase(std::find(all_.begin(), all_.end(), &entity));
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
