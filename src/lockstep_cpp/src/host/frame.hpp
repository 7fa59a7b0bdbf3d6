#ifndef HOST__FRAME_HPP_
#define HOST__FRAME_HPP_

#include <array>
#include <cstddef>
#include <cstdint>

namespace lockstep
{

/// What a frame of the direct protocol (docs/direct-protocol.md) says.
enum class FrameKind : std::uint8_t
{
  // to the component
  parameter = 1,
  start = 2,
  input = 3,
  advance = 4,
  end = 5,
  // from the component
  contract = 129,
  output = 130,
  done = 131,
  times = 132,
  failed = 133,
  finished = 134
};

constexpr std::size_t HEADER_SIZE = 32;
constexpr std::uint32_t MAX_PAYLOAD = 256U << 20;

/// What stands before the payload, apart from magic and checksum.
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

#endif  // HOST__FRAME_HPP_
