#include "lockstep/host/frame_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "lockstep/host/errors.hpp"

namespace lockstep
{

std::uint8_t * FrameWriter::payload(std::size_t size)
{
  if (buffer_.free_size() < HEADER_SIZE + size) {
    flush();
    buffer_.reserve(HEADER_SIZE + size);
  }
  return buffer_.free() + HEADER_SIZE;
}

void FrameWriter::send(const FrameHeader & header)
{
  const HeaderBytes bytes = encode(header);
  std::memcpy(buffer_.free(), bytes.data(), HEADER_SIZE);
  buffer_.fill(HEADER_SIZE + header.length);
}

void FrameWriter::send(const FrameHeader & header, const void * payload)
{
  std::uint8_t * room = this->payload(header.length);
  if (header.length > 0) {
    std::memcpy(room, payload, header.length);
  }
  send(header);
}

void FrameWriter::flush()
{
  while (buffer_.size() > 0) {
    const ssize_t count = write(file_, buffer_.data(), buffer_.size());
    if (count >= 0) {
      buffer_.use_up(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {  // whoever started this has made the descriptor non-blocking
      pollfd request{file_, POLLOUT, 0};
      poll(&request, 1, -1);
    } else if (errno == EPIPE) {
      throw Stopped();
    } else if (errno != EINTR) {
      throw RunError(std::string("stdout cannot be written: ") + std::strerror(errno));
    }
  }
}

}  // namespace lockstep
