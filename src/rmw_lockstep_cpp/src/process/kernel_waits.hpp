#ifndef PROCESS__KERNEL_WAITS_HPP_
#define PROCESS__KERNEL_WAITS_HPP_

#include "scheduler.hpp"

namespace rmw_lockstep
{

struct Run;

/// Wake a thread whose descriptors are ready; whether there is one.
bool wake_by_descriptors(Run & run);

/// While a thread waits for a descriptor and a child of this process is at work, time stands still
/// for some of real time, since that is what it may wait for; whether there was such a wait.
bool wait_for_children(Run & run, Held & held, Thread * looking);

/// Tell the harness that all it has sent is done, and wait until it sends more or a descriptor is
/// ready that a thread waits for; a signal wakes the thread that looks.
void wait_for_frame(Run & run, Held & held, Thread * looking);

/// After the end time is real: wait for the next deadline, descriptor or signal.
void wait_in_real_time(Run & run, Held & held, Thread * looking);

/// Interrupt whoever waits in one of these.
void stop_looking();

}  // namespace rmw_lockstep

#endif  // PROCESS__KERNEL_WAITS_HPP_
