#ifndef PROCESS__STEPS_HPP_
#define PROCESS__STEPS_HPP_

#include "lockstep/host/frame.hpp"
#include "scheduler.hpp"

/// \file
/// What the harness sends.

namespace rmw_lockstep
{

struct Run;

/// Whether a frame is a step, at the time of which this process does what falls due.
bool is_step(lockstep::FrameKind kind);

/// Whether it is a step of the bag, at which /clock ticks, rather than of another process.
bool is_tick(const lockstep::FrameHeader & header);

/// Take the frame at hand.
void take_frame(Run & run, Held & held, Thread * looking);

}  // namespace rmw_lockstep

#endif  // PROCESS__STEPS_HPP_
