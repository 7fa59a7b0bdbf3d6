#ifndef PROCESS__WATCHER_HPP_
#define PROCESS__WATCHER_HPP_

namespace rmw_lockstep
{

/// Start the one thread of the library's own, which lives in real time. It ends the process when
/// the harness is gone, and passes over a thread that waits in the kernel for what nobody here
/// knows (a device, a socket, a child), so that the others go on; that is told to the harness.
void start_watcher();

}  // namespace rmw_lockstep

#endif  // PROCESS__WATCHER_HPP_
