#ifndef PROCESS__LINK_HPP_
#define PROCESS__LINK_HPP_

#include <poll.h>
#include <time.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/host/frame.hpp"
#include "lockstep/host/frame_buffer.hpp"

namespace rmw_lockstep
{

/// The connection to the harness, which carries frames of the direct protocol
/// (docs/direct-protocol.md) over a UNIX socket.
///
/// A harness that is gone, or sends what is no frame, ends the process.
class Link
{
public:
  Link() = default;
  Link(const Link &) = delete;
  Link & operator=(const Link &) = delete;

  bool is_open() const { return socket_ >= 0; }

  /// Connect to the socket of a path.
  void open(const std::string & path);

  /// Put a frame into the buffer of those that are sent with the next flush.
  void send(const lockstep::FrameHeader & header, const void * payload = nullptr);

  /// How many bytes wait for the next flush.
  std::size_t unsent() const { return unsent_.size(); }

  /// Send all, as fast as the harness reads.
  void flush();

  /// Whether a whole frame has been read.
  bool has_frame();

  /// The header of the frame that has been read.
  const lockstep::FrameHeader & header() const { return header_; }
  /// Its payload.
  const std::uint8_t * payload() const { return unread_.data() + lockstep::HEADER_SIZE; }
  /// Go on with the next frame.
  void use_up();

  /// Read what has arrived; false if nothing has.
  bool read_some();

  /// Whether the harness has closed the connection.
  bool has_hung_up() const;

  int descriptor() const { return socket_; }

private:
  std::size_t wanted() const;

  int socket_ = -1;
  lockstep::FrameBuffer unsent_;
  lockstep::FrameBuffer unread_;
  lockstep::FrameHeader header_{};
  bool has_header_ = false;
  std::uint64_t count_ = 0;
};

/// End this process: it cannot go on, for a reason that is told in a sentence.
[[noreturn]] void give_up(const std::string & sentence);

}  // namespace rmw_lockstep

#endif  // PROCESS__LINK_HPP_
