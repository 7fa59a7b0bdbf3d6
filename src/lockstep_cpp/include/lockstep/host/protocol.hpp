#ifndef LOCKSTEP__HOST__PROTOCOL_HPP_
#define LOCKSTEP__HOST__PROTOCOL_HPP_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

/// \file
/// The facts of the protocols between a component's host and its harness, once for C++ (but for the
/// rcl_interfaces/msg/ParameterType of a parameter's type, which is in parameter_value.cpp).
/// docs/direct-protocol.md and docs/lockstep-protocol.md are the specification;
/// lockstep/host/protocol.py is the twin.

namespace lockstep
{

/// \name Both protocols
/// \{

/// A host tells what it has consumed at least every so many steps,
inline constexpr std::uint64_t MAX_UNACKNOWLEDGED = 64;
/// and at least this often in wall time: slow is not hanging.
inline constexpr std::chrono::milliseconds MAX_SILENCE{50};

/// \}
/// \name The direct protocol
/// \{

/// What a frame says; those from topic to number and from process on are of nodes that are no
/// components.
enum class FrameKind : std::uint8_t
{
  // to the component
  parameter = 1,
  start = 2,
  input = 3,
  advance = 4,
  end = 5,
  topic = 6,
  request = 7,
  peer = 8,
  peer_gone = 9,
  message = 10,
  latched = 11,
  answer = 12,
  number = 13,
  // from the component
  contract = 129,
  output = 130,
  done = 131,
  times = 132,
  failed = 133,
  finished = 134,
  process = 135,
  entity = 136,
  gone = 137,
  note = 138,
  response = 139,
  asked = 140
};

/// What every frame begins with.
inline constexpr std::array<std::uint8_t, 4> MAGIC = {'L', 'K', 'D', '1'};
/// The bytes before the payload of a frame.
inline constexpr std::size_t HEADER_SIZE = 32;
/// The most bytes of a payload.
inline constexpr std::uint32_t MAX_PAYLOAD = 256U << 20;
/// TIMES of timers have ports from here on.
inline constexpr std::size_t TIMER_PORTS = 32768;
/// The port of FINISHED where a node has ended before the END of the run.
inline constexpr std::uint16_t BY_ITSELF = 1;
/// The port of ADVANCE to a deadline, at which /clock does not tick.
inline constexpr std::uint16_t TO_DEADLINE = 1;

/// \}
/// \name The lockstep protocol
/// \{

/// Where the player announces what is next.
inline constexpr const char * STEPS_TOPIC = "/lockstep/steps";
/// Where a host tells what it has done.
inline constexpr const char * ACKNOWLEDGEMENT_TOPIC = "/lockstep/acknowledgement";
/// A host that waits for the first step says so this often.
inline constexpr std::chrono::milliseconds ANNOUNCEMENT_PERIOD{50};
/// A host whose queue is full fails after so long.
inline constexpr std::chrono::seconds PUBLISH_TIMEOUT{10};

/// \}

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__PROTOCOL_HPP_
