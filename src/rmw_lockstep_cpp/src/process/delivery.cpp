#include "delivery.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "run.hpp"

namespace rmw_lockstep
{

bool offer(Run & run)
{
  for (Entity * entity : run.entities.with_messages()) {
    if (entity->on_new != nullptr || entity->is_left_waiting()) {
      continue;  // who has taken the call takes the message when it likes
    }
    for (Thread * thread : run.scheduler.waiting()) {
      if (thread->wait.what != WaitsFor::entities) {
        continue;
      }
      EntityWait * wait = thread->wait.entities;
      const auto & wanted = *wait->entities;
      if (std::find(wanted.begin(), wanted.end(), entity) != wanted.end()) {
        ++entity->offers;
        wait->chosen = entity;
        run.scheduler.wake(*thread, Woken::by_event);
        return true;
      }
    }
  }
  return false;
}

bool tell_clock(Run & run, Held & held, std::int64_t time_ns)
{
  if (
    time_ns == 0 || time_ns == run.told_clock_ns || run.entities.subscriptions("/clock").empty()) {
    return false;
  }
  run.told_clock_ns = time_ns;
  run.clock.step_to(time_ns);
  const std::uint32_t stamp[] = {
    static_cast<std::uint32_t>(time_ns / 1000000000),
    static_cast<std::uint32_t>(time_ns % 1000000000)};
  std::vector<std::uint8_t> bytes{0, 1, 0, 0};  // CDR, little endian
  bytes.resize(4 + sizeof stamp);
  std::memcpy(&bytes[4], stamp, sizeof stamp);
  Message message;
  message.sent_ns = run.clock.now_ns();
  message.payload = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  const std::vector<Entity *> readers = run.entities.subscriptions("/clock");
  for (Entity * entity : readers) {
    deliver(held, *entity, message);
  }
  return true;
}

void distribute(Held & held, const Endpoint & publisher, const Message & message)
{
  Run & run = rmw_lockstep::run();
  const bool is_own = publisher.process == 0;
  const std::vector<Entity *> readers = run.entities.subscriptions(publisher.name);
  for (Entity * entity : readers) {
    if (are_matched(publisher, *entity) && !(is_own && entity->ignores_own_process)) {
      deliver(held, *entity, message);
    }
  }
}

void deliver(Held & held, Entity & entity, const Message & message)
{
  Run & run = rmw_lockstep::run();
  Message received = message;
  received.received_ns = run.clock.now_ns();
  run.entities.put(entity, std::move(received));
  if (entity.on_new == nullptr) {
    ++entity.untold;
    return;
  }
  const auto call = entity.on_new;
  const void * user_data = entity.user_data;
  Thread & thread = run.scheduler.this_thread();
  if (run.scheduler.running() == &thread) {
    held.unlock();
    call(user_data, 1);
    held.lock();
  } else {
    run.scheduler.call_as_running(held, thread, [call, user_data] { call(user_data, 1); });
  }
}

void trigger_held(GuardCondition & guard)
{
  Scheduler & scheduler = run().scheduler;
  guard.is_triggered = true;
  const std::vector<Thread *> waiting = scheduler.waiting();
  for (Thread * thread : waiting) {
    if (thread->wait.what != WaitsFor::entities) {
      continue;
    }
    EntityWait & wait = *thread->wait.entities;
    if (std::find(wait.guards->begin(), wait.guards->end(), &guard) != wait.guards->end()) {
      wait.triggered.push_back(&guard);
      guard.is_triggered = false;
      scheduler.wake(*thread, Woken::by_event);
    }
  }
}

void graph_has_changed()
{
  for (GuardCondition * guard : run().entities.graph_guards()) {
    trigger_held(*guard);
  }
}

}  // namespace rmw_lockstep
