#include "link.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "lockstep/host/errors.hpp"
#include "real.hpp"

namespace rmw_lockstep
{

namespace
{

constexpr int FAILED = 3;
/// High, so that code which closes the first descriptors does not close it.
constexpr int LEAST_DESCRIPTOR = 200;
/// Room for large messages, where the system allows it.
constexpr int SOCKET_BYTES = 1 << 22;

long wait_for(int descriptor, short events)
{
  pollfd request{descriptor, events, 0};
  return raw_syscall(SYS_ppoll, &request, 1, nullptr, nullptr, 0);
}

}  // namespace

void give_up(const std::string & sentence)
{
  const std::string line = "rmw_lockstep: " + sentence + "\n";
  raw_syscall(SYS_write, 2, line.data(), line.size());
  raw_syscall(SYS_exit_group, FAILED);
  __builtin_unreachable();
}

void Link::open(const std::string & path)
{
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    give_up("the path in LOCKSTEP_SOCKET is too long for a socket: " + path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int first =
    static_cast<int>(raw_syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const long connected = raw_syscall(SYS_connect, first, &address, sizeof address);
  if (first < 0 || connected < 0) {
    give_up(
      "cannot connect to the harness at " + path + ": " +
      std::strerror(static_cast<int>(-connected)));
  }
  raw_syscall(SYS_setsockopt, first, SOL_SOCKET, SO_SNDBUF, &SOCKET_BYTES, sizeof SOCKET_BYTES);
  const long moved = raw_syscall(SYS_fcntl, first, F_DUPFD_CLOEXEC, LEAST_DESCRIPTOR);
  if (moved >= 0) {
    raw_syscall(SYS_close, first);
  }
  socket_ = moved >= 0 ? static_cast<int>(moved) : first;
}

void Link::send(const lockstep::FrameHeader & header, const void * payload)
{
  unsent_.reserve(unsent_.size() + lockstep::HEADER_SIZE + header.length);
  const lockstep::HeaderBytes bytes = lockstep::encode(header);
  std::memcpy(unsent_.free(), bytes.data(), bytes.size());
  if (header.length > 0) {
    std::memcpy(unsent_.free() + bytes.size(), payload, header.length);
  }
  unsent_.fill(bytes.size() + header.length);
}

void Link::flush()
{
  while (unsent_.size() > 0) {
    const long sent = raw_syscall(
      SYS_sendto, socket_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0);
    if (sent >= 0) {
      unsent_.use_up(static_cast<std::size_t>(sent));
    } else if (sent == -EAGAIN) {
      wait_for(socket_, POLLOUT);
    } else if (sent != -EINTR) {
      give_up("the harness is gone");
    }
  }
}

std::size_t Link::wanted() const
{
  return lockstep::HEADER_SIZE + (has_header_ ? header_.length : 0);
}

bool Link::has_frame()
{
  if (!has_header_ && unread_.size() >= lockstep::HEADER_SIZE) {
    lockstep::HeaderBytes bytes;
    std::memcpy(bytes.data(), unread_.data(), bytes.size());
    try {
      header_ = lockstep::decode(bytes, count_);
    } catch (const lockstep::RunError & error) {
      give_up(error.what());
    }
    has_header_ = true;
  }
  return has_header_ && unread_.size() >= wanted();
}

void Link::use_up()
{
  unread_.use_up(wanted());
  has_header_ = false;
  ++count_;
}

bool Link::read_some()
{
  unread_.reserve(wanted());
  if (unread_.free_size() == 0) {
    unread_.reserve(2 * unread_.size());
  }
  const long count = raw_syscall(
    SYS_recvfrom, socket_, unread_.free(), unread_.free_size(), MSG_DONTWAIT, nullptr, nullptr);
  if (count > 0) {
    unread_.fill(static_cast<std::size_t>(count));
    return true;
  }
  if (count == 0 || (count != -EAGAIN && count != -EINTR)) {
    give_up("the harness is gone");
  }
  return false;
}

bool Link::has_hung_up() const
{
  pollfd request{socket_, POLLRDHUP, 0};
  const timespec now{0, 0};
  return raw_syscall(SYS_ppoll, &request, 1, &now, nullptr, 0) > 0;
}

}  // namespace rmw_lockstep
