#ifndef PROCESS__HARNESS_HPP_
#define PROCESS__HARNESS_HPP_

#include <cstddef>
#include <cstdint>
#include <string>

#include "entities.hpp"
#include "lockstep/host/frame.hpp"

/// \file
/// What this process tells the harness.

namespace rmw_lockstep
{

struct Run;

/// What is told of a node that is more than one process.
inline constexpr const char * WAITS_FOR_CHILDREN =
  "the node starts other processes and waits for them";

/// The path of the harness's socket (LOCKSTEP_SOCKET); empty if there is no harness.
const std::string & harness_path();

/// Connect to the harness, if that has not been done.
void ensure_connected();

/// Send a frame to the harness; nothing after the end.
void send(lockstep::FrameKind kind, std::uint16_t port, const void * payload, std::size_t size);

/// Tell that all steps so far are over, and when this process would do something by itself.
void say_done(Run & run);

/// Send all that waits to be sent.
void flush(Run & run);

/// Tell what has been consumed as often as the protocol wants it.
void keep_in_touch(Run & run);

/// Tell, once, of something that is not under control.
void tell_uncontrolled(const std::string & what);

/// Tell how many messages the queue of an entity had no room for, or how many requests of a client
/// nobody served.
void tell_dropped(const Entity & entity);

/// The run is over for this process: tell what it had of it. `how` is 0 or BY_ITSELF, `status` then
/// the exit code.
void finish(Run & run, std::uint16_t how, std::int32_t status = 0);

/// This process ends by itself with an exit code: send what has not been sent.
void end_by_itself(int status);

}  // namespace rmw_lockstep

#endif  // PROCESS__HARNESS_HPP_
