#ifndef PROCESS__DELIVERY_HPP_
#define PROCESS__DELIVERY_HPP_

#include <cstdint>

#include "entities.hpp"
#include "scheduler.hpp"

/// \file
/// Messages on their way to who waits for them.

namespace rmw_lockstep
{

struct Run;

/// A message for one entity.
void deliver(Held & held, Entity & entity, const Message & message);

/// A message of a publisher, of this process or another, to the subscriptions of this process.
void distribute(Held & held, const Endpoint & publisher, const Message & message);

/// Offer the message that came first of all that somebody waits for; whether there is one.
bool offer(Run & run);

/// Give who subscribes to /clock the time of the step at hand, before what comes at that time;
/// whether there was anything to give.
bool tell_clock(Run & run, Held & held, std::int64_t time_ns);

/// Trigger a guard condition, and wake who waits for it.
void trigger_held(GuardCondition & guard);

/// Wake who waits for changes of the graph.
void graph_has_changed();

}  // namespace rmw_lockstep

#endif  // PROCESS__DELIVERY_HPP_
