/// The connection to the harness: frames in pieces, many at once, large ones, and ends.

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "harness.hpp"
#include "process/link.hpp"

using lockstep::FrameKind;
using rmw_lockstep::Link;
using testing::ExitedWithCode;

namespace
{

class LinkTest : public testing::Test
{
protected:
  LinkTest()
  {
    link.open(harness.path());
    harness.accept();
  }

  std::string payload() const
  {
    return {reinterpret_cast<const char *>(link.payload()), link.header().length};
  }

  /// Read until a whole frame has come.
  void read_frame()
  {
    while (!link.has_frame()) {
      link.read_some();
    }
  }

  Harness harness;
  Link link;
};

}  // namespace

TEST_F(LinkTest, a_frame_that_comes_byte_by_byte_is_whole_with_the_last_one)
{
  const lockstep::HeaderBytes header = lockstep::encode({FrameKind::input, 3, 7, 42, 2});
  std::string bytes(header.begin(), header.end());
  bytes += "ab";
  for (const char byte : bytes) {
    EXPECT_FALSE(link.has_frame());
    harness.write(&byte, 1);
    EXPECT_TRUE(link.read_some());
  }
  ASSERT_TRUE(link.has_frame());
  EXPECT_EQ(link.header().port, 3);
  EXPECT_EQ(link.header().step, 7U);
  EXPECT_EQ(link.header().time_ns, 42);
  EXPECT_EQ(payload(), "ab");
  EXPECT_FALSE(link.read_some());
}

TEST_F(LinkTest, frames_that_come_at_once_are_taken_one_by_one)
{
  for (std::uint16_t port = 0; port < 3; ++port) {
    harness.send({FrameKind::input, port}, std::string(port, 'x'));
  }
  for (std::uint16_t port = 0; port < 3; ++port) {
    read_frame();
    EXPECT_EQ(link.header().port, port);
    EXPECT_EQ(payload(), std::string(port, 'x'));
    link.use_up();
  }
  EXPECT_FALSE(link.has_frame());
}

TEST_F(LinkTest, a_payload_may_be_larger_than_what_is_read_at_once)
{
  const std::string large(5 << 20, 'y');
  std::thread sender([&] {
    harness.send({FrameKind::input, 1}, large);
    harness.send({FrameKind::advance, 2});
  });
  read_frame();
  EXPECT_EQ(payload(), large);
  link.use_up();
  read_frame();
  sender.join();
  EXPECT_EQ(link.header().port, 2);
}

TEST_F(LinkTest, a_flush_waits_for_a_harness_that_reads_slowly)
{
  const std::string large(5 << 20, 'z');
  for (std::uint16_t port = 0; port < 2; ++port) {
    link.send(
      {FrameKind::output, port, 0, 0, static_cast<std::uint32_t>(large.size())}, large.data());
  }
  std::vector<Frame> frames;
  std::thread reader([&] {
    while (frames.size() < 2) {
      for (Frame & frame : harness.received()) {
        frames.push_back(std::move(frame));
      }
    }
  });
  link.flush();
  EXPECT_EQ(link.unsent(), 0U);
  reader.join();
  EXPECT_EQ(frames[0].payload, large);
  EXPECT_EQ(frames[1].header.port, 1);
}

TEST_F(LinkTest, a_harness_that_hangs_up_ends_the_process)
{
  EXPECT_FALSE(link.has_hung_up());
  harness.hang_up();
  EXPECT_TRUE(link.has_hung_up());
  EXPECT_EXIT(link.read_some(), ExitedWithCode(3), "rmw_lockstep: the harness is gone");
  link.send({FrameKind::done});
  EXPECT_EXIT(link.flush(), ExitedWithCode(3), "rmw_lockstep: the harness is gone");
}

TEST_F(LinkTest, what_is_no_frame_ends_the_process)
{
  harness.write(std::string(lockstep::HEADER_SIZE, '?').data(), lockstep::HEADER_SIZE);
  EXPECT_TRUE(link.read_some());
  EXPECT_EXIT(link.has_frame(), ExitedWithCode(3), "rmw_lockstep: .*frame");
}

TEST(Link, nobody_who_listens_ends_the_process)
{
  Link link;
  EXPECT_EXIT(link.open("/nowhere/socket"), ExitedWithCode(3), "cannot connect to the harness");
  EXPECT_EXIT(link.open(std::string(200, 'x')), ExitedWithCode(3), "too long for a socket");
}
