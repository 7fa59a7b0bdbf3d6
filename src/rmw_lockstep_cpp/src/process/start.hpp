#ifndef PROCESS__START_HPP_
#define PROCESS__START_HPP_

namespace rmw_lockstep
{

/// Whether this process is under the control of the library: it was told of a harness, and is a
/// node. Of others, such as a shell that starts a node, nothing is changed.
bool is_on();

/// Be under control from now on if this process has a harness; ends the process if it has none.
void ensure_on();

/// What code of this process sees as its process number, once it is under control.
inline constexpr int PROCESS_ID = 4242;
/// The number of processors that code sees.
inline constexpr int PROCESSORS = 4;

/// The calling thread gives its turn away when it ends.
void mark_thread();

/// The kernel's number of this process.
int real_process_id();

}  // namespace rmw_lockstep

#endif  // PROCESS__START_HPP_
