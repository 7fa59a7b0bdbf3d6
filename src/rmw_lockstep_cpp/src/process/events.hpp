#ifndef PROCESS__EVENTS_HPP_
#define PROCESS__EVENTS_HPP_

#include "scheduler.hpp"

namespace rmw_lockstep
{

/// Look for what happens next until a thread is ready to run, in place of `looking`, which may be
/// null: a message to offer, a deadline, a frame of the harness.
void next_event(Held & held, Thread * looking);

}  // namespace rmw_lockstep

#endif  // PROCESS__EVENTS_HPP_
