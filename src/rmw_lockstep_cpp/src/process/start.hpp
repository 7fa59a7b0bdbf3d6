#ifndef PROCESS__START_HPP_
#define PROCESS__START_HPP_

#include <string>

namespace rmw_lockstep
{

/// The path of the harness's socket (LOCKSTEP_SOCKET); empty if there is no harness.
const std::string & harness_path();

/// Know with which code this process exits when it does, from a moment on at which the libraries
/// are there: what is registered before would be called after they are gone.
void listen_for_exit_code();

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
