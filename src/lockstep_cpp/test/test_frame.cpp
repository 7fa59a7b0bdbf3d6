#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "host/crc32.hpp"
#include "lockstep/host/errors.hpp"
#include "lockstep/host/frame.hpp"
#include "lockstep/host/frame_reader.hpp"
#include "lockstep/host/frame_writer.hpp"

using lockstep::FrameHeader;
using lockstep::FrameKind;
using lockstep::FrameReader;
using lockstep::FrameWriter;
using lockstep::HeaderBytes;

namespace
{

/// Both ends of a pipe.
class Pipe
{
public:
  Pipe()
  {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipe");
    }
  }
  ~Pipe()
  {
    close_input();
    close_output();
  }
  Pipe(const Pipe &) = delete;
  Pipe & operator=(const Pipe &) = delete;

  int input() const { return ends_[0]; }
  int output() const { return ends_[1]; }
  void close_input() { close_end(ends_[0]); }
  void close_output() { close_end(ends_[1]); }

  void write(const std::uint8_t * bytes, std::size_t size) const
  {
    while (size > 0) {
      const ssize_t count = ::write(output(), bytes, size);
      ASSERT_GT(count, 0);
      bytes += count;
      size -= static_cast<std::size_t>(count);
    }
  }

private:
  static void close_end(int & end)
  {
    if (end >= 0) {
      close(end);
      end = -1;
    }
  }

  std::array<int, 2> ends_{};
};

FrameHeader input_header(std::uint64_t step, std::size_t length)
{
  return {FrameKind::input, 3, step, -5, static_cast<std::uint32_t>(length)};
}

std::vector<std::uint8_t> frame(std::uint64_t step, const std::string & payload)
{
  const HeaderBytes header = lockstep::encode(input_header(step, payload.size()));
  std::vector<std::uint8_t> bytes(header.size() + payload.size());
  std::copy(header.begin(), header.end(), bytes.begin());
  std::copy(payload.begin(), payload.end(), bytes.begin() + header.size());
  return bytes;
}

std::string payload_of(const lockstep::Frame & frame)
{
  return {reinterpret_cast<const char *>(frame.payload), frame.header.length};
}

std::string error_of(const HeaderBytes & bytes)
{
  try {
    lockstep::decode(bytes, 7);
  } catch (const lockstep::RunError & error) {
    return error.what();
  }
  return "";
}

/// Put the right checksum into a header that was changed.
HeaderBytes resealed(HeaderBytes bytes)
{
  const std::uint32_t checksum = lockstep::crc32(bytes.data(), 28);
  std::memcpy(&bytes[28], &checksum, sizeof(checksum));
  return bytes;
}

}  // namespace

TEST(Crc32, is_that_of_zlib)
{
  const auto crc_of = [](const std::string & text) {
    return lockstep::crc32(reinterpret_cast<const std::uint8_t *>(text.data()), text.size());
  };
  EXPECT_EQ(crc_of(""), 0U);
  EXPECT_EQ(crc_of("a"), 0xe8b7be43U);
  EXPECT_EQ(crc_of("123456789"), 0xcbf43926U);
  EXPECT_EQ(crc_of("The quick brown fox jumps over the lazy dog"), 0x414fa339U);
}

TEST(Frame, header_has_the_layout_of_the_protocol)
{
  const HeaderBytes bytes =
    lockstep::encode({FrameKind::output, 0x0201, 0x0807060504030201, -2, 0x04030201});
  const HeaderBytes expected = {'L',  'K',  'D',  '1',  130, 0, 1,    2,    1,    2,
                                3,    4,    5,    6,    7,   8, 0xfe, 0xff, 0xff, 0xff,
                                0xff, 0xff, 0xff, 0xff, 1,   2, 3,    4};
  EXPECT_EQ(bytes, resealed(expected));
}

TEST(Frame, header_survives_the_way_through_bytes)
{
  const FrameHeader header =
    lockstep::decode(lockstep::encode(input_header(1ULL << 63, lockstep::MAX_PAYLOAD)), 0);
  EXPECT_EQ(header.kind, FrameKind::input);
  EXPECT_EQ(header.port, 3);
  EXPECT_EQ(header.step, 1ULL << 63);
  EXPECT_EQ(header.time_ns, -5);
  EXPECT_EQ(header.length, lockstep::MAX_PAYLOAD);
}

TEST(Frame, every_flipped_bit_of_a_header_is_noticed)
{
  const HeaderBytes right = lockstep::encode(input_header(41, 100));
  EXPECT_EQ(error_of(right), "");
  for (std::size_t bit = 0; bit < 8 * right.size(); ++bit) {
    HeaderBytes wrong = right;
    wrong[bit / 8] = static_cast<std::uint8_t>(wrong[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_NE(error_of(wrong), "") << bit;
  }
}

TEST(Frame, errors_say_which_frame_and_what)
{
  HeaderBytes bytes = lockstep::encode(input_header(0, 0));
  bytes[3] = '2';
  EXPECT_EQ(error_of(resealed(bytes)), "frame 7 of stdin does not start with LKD1");
  bytes = lockstep::encode(input_header(0, 0));
  bytes[31] = static_cast<std::uint8_t>(~bytes[31]);
  EXPECT_EQ(error_of(bytes), "frame 7 of stdin has a wrong checksum");
  bytes = lockstep::encode(input_header(0, 0));
  bytes[5] = 9;
  EXPECT_EQ(
    error_of(resealed(bytes)), "frame 7 of stdin has 9 in byte 5, which is 0 in this version");
  EXPECT_EQ(
    error_of(lockstep::encode(input_header(0, lockstep::MAX_PAYLOAD + 1))),
    "frame 7 of stdin has a payload of 268435457 bytes; at most 268435456 are allowed");
}

TEST(FrameReader, gives_frames_however_the_bytes_arrive)
{
  Pipe pipe;
  std::vector<std::uint8_t> bytes;
  for (const auto & part : {frame(0, "first"), frame(1, ""), frame(2, "third")}) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  FrameReader reader(pipe.input());
  std::vector<std::string> payloads;
  for (const std::uint8_t byte : bytes) {
    EXPECT_FALSE(reader.ready());
    pipe.write(&byte, 1);
    if (reader.ready()) {
      payloads.push_back(payload_of(*reader.next()));
    }
  }
  EXPECT_EQ(payloads, (std::vector<std::string>{"first", "", "third"}));
  pipe.close_output();
  EXPECT_TRUE(reader.ready());
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.next());
}

TEST(FrameReader, takes_payloads_of_every_size_around_that_of_its_buffer)
{
  Pipe pipe;
  const std::size_t buffer = 256 * 1024;
  std::vector<std::size_t> sizes;
  for (std::size_t size = buffer - 40; size < buffer + 8; ++size) {
    sizes.push_back(size);
  }
  sizes.insert(sizes.end(), {0, 5'000'000, 1, buffer, 2 * buffer});
  std::thread writer([&] {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto bytes = frame(i, std::string(sizes[i], static_cast<char>('a' + i % 26)));
      pipe.write(bytes.data(), bytes.size());
    }
    pipe.close_output();
  });
  FrameReader reader(pipe.input());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto frame = reader.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->header.step, i);
    EXPECT_EQ(payload_of(*frame), std::string(sizes[i], static_cast<char>('a' + i % 26)));
  }
  EXPECT_TRUE(reader.at_end());
  writer.join();
}

TEST(FrameReader, says_in_which_frame_the_input_ended)
{
  const auto bytes = frame(0, "payload");
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    Pipe pipe;
    pipe.write(bytes.data(), bytes.size());
    pipe.write(bytes.data(), size);
    pipe.close_output();
    FrameReader reader(pipe.input());
    EXPECT_TRUE(reader.next());
    EXPECT_TRUE(reader.ready());
    try {
      reader.next();
      FAIL();
    } catch (const lockstep::RunError & error) {
      EXPECT_STREQ(error.what(), "stdin ended within frame 1");
    }
  }
}

TEST(FrameReader, waits_on_a_descriptor_that_does_not_block)
{
  Pipe pipe;
  fcntl(pipe.input(), F_SETFL, O_NONBLOCK);
  FrameReader reader(pipe.input());
  EXPECT_FALSE(reader.ready());
  std::thread writer([&] {
    const auto bytes = frame(0, "late");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pipe.write(bytes.data(), bytes.size());
  });
  EXPECT_EQ(payload_of(*reader.next()), "late");
  writer.join();
}

TEST(FrameWriter, writes_what_a_reader_reads)
{
  Pipe pipe;
  const std::vector<std::size_t> sizes = {0, 10, 262'112, 262'113, 262'144, 3'000'000, 1};
  std::thread writing([&] {
    fcntl(pipe.output(), F_SETFL, O_NONBLOCK);
    FrameWriter writer(pipe.output());
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      // Twice: once by copy, once in place.
      const std::string payload(sizes[i], static_cast<char>('a' + i));
      writer.send(input_header(2 * i, sizes[i]), payload.data());
      std::memcpy(writer.payload(sizes[i] + 100), payload.data(), payload.size());
      writer.send(input_header(2 * i + 1, sizes[i]));
    }
    writer.flush();
    pipe.close_output();
  });
  FrameReader reader(pipe.input());
  for (std::size_t i = 0; i < 2 * sizes.size(); ++i) {
    const auto frame = reader.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->header.step, i);
    EXPECT_EQ(payload_of(*frame), std::string(sizes[i / 2], static_cast<char>('a' + i / 2)));
  }
  EXPECT_TRUE(reader.at_end());
  writing.join();
}

TEST(FrameWriter, stops_where_nobody_reads)
{
  Pipe pipe;
  std::signal(SIGPIPE, SIG_IGN);
  pipe.close_input();
  FrameWriter writer(pipe.output());
  writer.send(input_header(0, 1), "a");
  EXPECT_THROW(writer.flush(), lockstep::Stopped);
}
