#ifndef LOCKSTEP__HOST__FRAME_READER_HPP_
#define LOCKSTEP__HOST__FRAME_READER_HPP_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "lockstep/host/frame.hpp"
#include "lockstep/host/frame_buffer.hpp"

namespace lockstep
{

struct Frame
{
  FrameHeader header;
  const std::uint8_t * payload;  ///< of header.length bytes; until the next frame is read
};

/// Reads frames from a file descriptor, in large blocks.
class FrameReader
{
public:
  explicit FrameReader(int file) : file_(file) {}

  /// Whether `next` can return at once. Reads what has arrived, but does not wait for more.
  /// \throws RunError as `next` does
  bool ready();

  /// Whether the input has ended and no frame is left; waits until that is known.
  /// \throws RunError as `next` does
  bool at_end();

  /// The next frame, however long it takes to arrive; nothing at the end of the input.
  /// \throws RunError if a header is malformed, or if the input ends within a frame
  std::optional<Frame> next();

private:
  bool complete();
  std::size_t wanted() const { return header_ ? HEADER_SIZE + header_->length : HEADER_SIZE; }
  void read_some();

  int file_;
  FrameBuffer buffer_;
  std::optional<FrameHeader> header_;  ///< of the frame at the beginning of the buffer
  std::size_t last_size_ = 0;          ///< of the frame returned last, still in the buffer
  std::uint64_t count_ = 0;
  bool ended_ = false;
};

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__FRAME_READER_HPP_
