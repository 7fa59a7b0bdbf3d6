/// rmw_wait: who waits is offered one message at a time, in the order in which they came.

#include <algorithm>
#include <vector>

#include "../process/passing_time.hpp"
#include "../process/real.hpp"
#include "endpoints.hpp"
#include "rmw/allocators.h"
#include "rmw/rmw.h"

using namespace rmw_lockstep;

namespace
{

/// So many polls in a row that find nothing are busy waiting, which takes time.
constexpr std::uint32_t BUSY_POLLS = 10;

/// What was asked for, and what there is of it.
struct Asked
{
  std::vector<Entity *> entities;
  std::vector<GuardCondition *> guards;
  std::vector<Entity *> ready;
  std::vector<GuardCondition *> triggered;
};

void collect(void ** pointers, std::size_t count, std::vector<Entity *> & entities)
{
  for (std::size_t i = 0; i < count; ++i) {
    if (pointers[i] != nullptr) {
      entities.push_back(static_cast<Entity *>(pointers[i]));
    }
  }
}

template <typename Known>
void keep(void ** pointers, std::size_t count, const std::vector<Known *> & ready)
{
  for (std::size_t i = 0; i < count; ++i) {
    if (std::find(ready.begin(), ready.end(), pointers[i]) == ready.end()) {
      pointers[i] = nullptr;
    }
  }
}

void take_triggered(Asked & asked)
{
  for (GuardCondition * guard : asked.guards) {
    if (guard->is_triggered) {
      guard->is_triggered = false;
      asked.triggered.push_back(guard);
    }
  }
}

void take_ready(Asked & asked)
{
  for (Entity * entity : asked.entities) {
    if (!entity->queue.empty()) {
      asked.ready.push_back(entity);
    }
  }
}

bool is_anything_ready(const Asked & asked)
{
  return !asked.ready.empty() || !asked.triggered.empty();
}

/// A wait that would end at once, again and again, since nobody takes what there is, takes time.
void wait_until(Turn & turn, Asked & asked, std::int64_t deadline_ns)
{
  const bool is_busy = std::any_of(
    asked.entities.begin(), asked.entities.end(),
    [](const Entity * entity) { return entity->is_left_waiting(); });
  EntityWait given{&asked.entities, &asked.guards};
  Wait wait;
  wait.what = WaitsFor::entities;
  wait.entities = &given;
  wait.deadline_ns = deadline_ns;
  if (is_busy) {
    wait.deadline_ns = std::min(deadline_ns, run().clock.now_ns() + BUSY_NS);
  }
  wait.interruptible = true;
  const Woken woken = run().scheduler.wait(turn.held, wait);
  if (given.chosen != nullptr) {
    asked.ready.push_back(given.chosen);
  } else if (is_busy && woken == Woken::by_deadline) {
    take_ready(asked);
  }
  asked.triggered.insert(asked.triggered.end(), given.triggered.begin(), given.triggered.end());
  take_triggered(asked);
}

/// A poll is given all that is ready, because it takes one message of each subscription and the
/// next one may come late.
void poll(Turn & turn, Asked & asked)
{
  Run & run = rmw_lockstep::run();
  take_ready(asked);
  take_triggered(asked);
  if (!asked.ready.empty() || run.polled_ns != run.clock.now_ns()) {
    run.polled_ns = run.clock.now_ns();
    run.polls_in_vain = 0;
  } else if (++run.polls_in_vain >= BUSY_POLLS) {  // guards alone are in vain: rclpy's own are
    run.polls_in_vain = 0;
    wait_until(turn, asked, run.clock.now_ns() + BUSY_NS);
  }
}

std::int64_t deadline_of(const rmw_time_t * timeout)
{
  constexpr std::uint64_t NS_PER_S = 1000000000;
  constexpr std::uint64_t MOST_S = FOREVER / NS_PER_S / 2;
  if (timeout == nullptr || timeout->sec > MOST_S) {
    return FOREVER;
  }
  return run().clock.now_ns() + static_cast<std::int64_t>(timeout->sec * NS_PER_S + timeout->nsec);
}

}  // namespace

REPLACE rmw_wait_set_t * rmw_create_wait_set(rmw_context_t *, size_t)
{
  rmw_wait_set_t * wait_set = rmw_wait_set_allocate();
  wait_set->implementation_identifier = IDENTIFIER;
  wait_set->guard_conditions = nullptr;
  wait_set->data = nullptr;
  return wait_set;
}

REPLACE rmw_ret_t rmw_destroy_wait_set(rmw_wait_set_t * wait_set)
{
  rmw_wait_set_free(wait_set);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_wait(
  rmw_subscriptions_t * subscriptions, rmw_guard_conditions_t * guards, rmw_services_t * services,
  rmw_clients_t * clients, rmw_events_t * events, rmw_wait_set_t *, const rmw_time_t * timeout)
{
  Asked asked;
  if (subscriptions != nullptr) {
    collect(subscriptions->subscribers, subscriptions->subscriber_count, asked.entities);
  }
  if (services != nullptr) {
    collect(services->services, services->service_count, asked.entities);
  }
  if (clients != nullptr) {
    collect(clients->clients, clients->client_count, asked.entities);
  }
  for (std::size_t i = 0; guards != nullptr && i < guards->guard_condition_count; ++i) {
    asked.guards.push_back(static_cast<GuardCondition *>(guards->guard_conditions[i]));
  }
  {
    Turn turn;
    run().scheduler.yield(turn.held);  // what others are about to do comes first
    if (timeout != nullptr && timeout->sec == 0 && timeout->nsec == 0) {
      poll(turn, asked);
    } else {
      take_triggered(asked);
      if (!is_anything_ready(asked)) {
        wait_until(turn, asked, deadline_of(timeout));
      }
    }
  }
  if (subscriptions != nullptr) {
    keep(subscriptions->subscribers, subscriptions->subscriber_count, asked.ready);
  }
  if (services != nullptr) {
    keep(services->services, services->service_count, asked.ready);
  }
  if (clients != nullptr) {
    keep(clients->clients, clients->client_count, asked.ready);
  }
  if (guards != nullptr) {
    keep(guards->guard_conditions, guards->guard_condition_count, asked.triggered);
  }
  for (std::size_t i = 0; events != nullptr && i < events->event_count; ++i) {
    events->events[i] = nullptr;
  }
  return is_anything_ready(asked) ? RMW_RET_OK : RMW_RET_TIMEOUT;
}
