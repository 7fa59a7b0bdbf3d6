#ifndef LOCKSTEP__HOST__FRAME_HPP_
#define LOCKSTEP__HOST__FRAME_HPP_

#include <array>
#include <cstdint>

#include "lockstep/host/protocol.hpp"

namespace lockstep
{

/// What stands before the payload of a frame of the direct protocol (docs/direct-protocol.md),
/// apart from magic and checksum. lockstep/host/frames.py is the twin of this file, frame_reader
/// and frame_writer.
struct FrameHeader
{
  FrameKind kind;
  std::uint16_t port = 0;  ///< index in the contract
  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  std::uint32_t length = 0;  ///< of the payload, in bytes
};

using HeaderBytes = std::array<std::uint8_t, HEADER_SIZE>;

HeaderBytes encode(const FrameHeader & header);

/// \param number counts the frames of the stream from 0, for the text of an error
/// \throws RunError unless magic, checksum and length are right; the kind may be any
FrameHeader decode(const HeaderBytes & bytes, std::uint64_t number);

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__FRAME_HPP_
