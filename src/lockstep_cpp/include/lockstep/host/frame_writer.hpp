#ifndef LOCKSTEP__HOST__FRAME_WRITER_HPP_
#define LOCKSTEP__HOST__FRAME_WRITER_HPP_

#include <cstddef>
#include <cstdint>

#include "lockstep/host/frame.hpp"
#include "lockstep/host/frame_buffer.hpp"

namespace lockstep
{

/// Writes frames to a file descriptor, in large blocks.
///
/// Every method that writes throws Stopped if nobody reads any more, and RunError if writing fails.
class FrameWriter
{
public:
  explicit FrameWriter(int file) : file_(file) {}

  /// Room for a payload of up to `size` bytes, which `send` then sends.
  std::uint8_t * payload(std::size_t size);

  /// Send the `header.length` bytes that were written to `payload()`.
  void send(const FrameHeader & header);

  /// Send a frame with the `header.length` bytes at `payload`.
  void send(const FrameHeader & header, const void * payload);

  /// Write all that is in the buffer.
  void flush();

private:
  int file_;
  FrameBuffer buffer_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__FRAME_WRITER_HPP_
