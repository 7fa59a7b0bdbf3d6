#ifndef HARNESS_HPP_
#define HARNESS_HPP_

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "lockstep/host/frame.hpp"
#include "process/run.hpp"

/// \file
/// The harness's end of a node's socket.

inline constexpr std::int64_t MS = 1000000;
inline constexpr std::int64_t S = 1000 * MS;
inline constexpr std::int64_t START_NS = 1700000000 * S;

struct Frame
{
  lockstep::FrameHeader header;
  std::string payload;
};

/// Listens for one node, whose frames it reads only when it is asked for them.
class Harness
{
public:
  Harness()
  {
    static int count = 0;
    path_ =
      testing::TempDir() + "lockstep-" + std::to_string(getpid()) + "-" + std::to_string(++count);
    listening_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listening_, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listening_, 1), 0);
  }
  ~Harness()
  {
    hang_up();
    close(listening_);
    unlink(path_.c_str());
  }
  Harness(const Harness &) = delete;
  Harness & operator=(const Harness &) = delete;

  const std::string & path() const { return path_; }

  void accept() { socket_ = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC); }

  void hang_up()
  {
    if (socket_ >= 0) {
      close(socket_);
      socket_ = -1;
    }
  }

  void write(const void * bytes, std::size_t size) const
  {
    const auto * at = static_cast<const std::uint8_t *>(bytes);
    while (size > 0) {
      const ssize_t count = ::send(socket_, at, size, MSG_NOSIGNAL);
      ASSERT_GT(count, 0);
      at += count;
      size -= static_cast<std::size_t>(count);
    }
  }

  void send(lockstep::FrameHeader header, const std::string & payload = {}) const
  {
    header.length = static_cast<std::uint32_t>(payload.size());
    const lockstep::HeaderBytes bytes = lockstep::encode(header);
    write(bytes.data(), bytes.size());
    write(payload.data(), payload.size());
  }

  /// A step that is the next one.
  void step(
    lockstep::FrameKind kind, std::int64_t time_ns, std::uint16_t port = 0,
    const std::string & payload = {})
  {
    send({kind, port, steps_++, time_ns}, payload);
  }

  void announce(std::uint16_t input, const std::string & name, std::size_t latched = 0) const
  {
    const std::string zero(1, '\0');
    send(
      {lockstep::FrameKind::topic, input},
      name + zero + "std_msgs/msg/String" + zero + std::to_string(latched));
  }

  /// All that has come.
  std::vector<Frame> received()
  {
    pollfd request{socket_, POLLIN, 0};
    while (poll(&request, 1, 0) > 0) {
      char bytes[1 << 16];
      const ssize_t count = recv(socket_, bytes, sizeof bytes, 0);
      if (count <= 0) {
        break;
      }
      unread_.append(bytes, static_cast<std::size_t>(count));
    }
    std::vector<Frame> frames;
    while (unread_.size() >= lockstep::HEADER_SIZE) {
      lockstep::HeaderBytes bytes;
      std::memcpy(bytes.data(), unread_.data(), bytes.size());
      const lockstep::FrameHeader header = lockstep::decode(bytes, count_);
      if (unread_.size() < lockstep::HEADER_SIZE + header.length) {
        break;
      }
      ++count_;
      frames.push_back({header, unread_.substr(lockstep::HEADER_SIZE, header.length)});
      unread_.erase(0, lockstep::HEADER_SIZE + header.length);
    }
    return frames;
  }

private:
  std::string path_;
  int listening_ = -1;
  int socket_ = -1;
  std::uint64_t steps_ = 0;
  std::uint64_t count_ = 0;
  std::string unread_;
};

/// A run whose node is the test, connected with a harness.
class ConnectedRun : public testing::Test
{
protected:
  ConnectedRun()
  {
    rmw_lockstep::use(run);
    run.link.open(harness.path());
    harness.accept();
    rmw_lockstep::Held held(run.scheduler.lock);
    run.scheduler.take_turn(held);
  }

  /// Wait as a node does that sleeps.
  rmw_lockstep::Woken sleep_until(std::int64_t deadline_ns)
  {
    rmw_lockstep::Held held(run.scheduler.lock);
    rmw_lockstep::Wait wait;
    wait.what = rmw_lockstep::WaitsFor::time;
    wait.deadline_ns = deadline_ns;
    return run.scheduler.wait(held, wait);
  }

  std::int64_t now_ns() const { return run.clock.now_ns() - START_NS; }

  Harness harness;
  rmw_lockstep::Run run{START_NS};
};

#endif  // HARNESS_HPP_
