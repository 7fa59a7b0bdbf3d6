#include "lockstep/host/frame_reader.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "lockstep/host/errors.hpp"

namespace lockstep
{

namespace
{

/// \param timeout_ms how long to wait; -1: forever
bool readable(int file, int timeout_ms)
{
  pollfd request{file, POLLIN, 0};
  return poll(&request, 1, timeout_ms) > 0;
}

}  // namespace

bool FrameReader::ready()
{
  while (!complete() && !ended_) {
    if (!readable(file_, 0)) {
      return false;
    }
    read_some();
  }
  return true;
}

bool FrameReader::at_end()
{
  while (!complete()) {
    if (ended_) {
      if (buffer_.size() == 0) {
        return true;
      }
      throw RunError("stdin ended within frame " + std::to_string(count_));
    }
    read_some();
  }
  return false;
}

std::optional<Frame> FrameReader::next()
{
  if (at_end()) {
    return std::nullopt;
  }
  const Frame frame{*header_, buffer_.data() + HEADER_SIZE};
  last_size_ = wanted();
  header_.reset();
  ++count_;
  return frame;
}

bool FrameReader::complete()
{
  buffer_.use_up(last_size_);
  last_size_ = 0;
  if (!header_ && buffer_.size() >= HEADER_SIZE) {
    HeaderBytes bytes;
    std::memcpy(bytes.data(), buffer_.data(), HEADER_SIZE);
    header_ = decode(bytes, count_);
  }
  return header_ && buffer_.size() >= wanted();
}

void FrameReader::read_some()
{
  buffer_.reserve(wanted());
  const ssize_t count = read(file_, buffer_.free(), buffer_.free_size());
  if (count > 0) {
    buffer_.fill(static_cast<std::size_t>(count));
  } else if (count == 0) {
    ended_ = true;
  } else if (errno == EAGAIN) {  // whoever started this has made the descriptor non-blocking
    readable(file_, -1);
  } else if (errno != EINTR) {
    throw RunError(std::string("stdin cannot be read: ") + std::strerror(errno));
  }
}

}  // namespace lockstep
