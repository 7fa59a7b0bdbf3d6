#include "lockstep/host/frame.hpp"

#include <cstring>
#include <string>

#include "crc32.hpp"
#include "lockstep/host/errors.hpp"

namespace lockstep
{

namespace
{

/// The header as it stands in the stream.
struct Wire
{
  std::array<std::uint8_t, 4> magic;
  std::uint8_t kind;
  std::uint8_t zero;
  std::uint16_t port;
  std::uint64_t step;
  std::int64_t time_ns;
  std::uint32_t length;
  std::uint32_t checksum;
};
static_assert(sizeof(Wire) == HEADER_SIZE);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the header is little endian");

std::uint32_t checksum(const HeaderBytes & bytes)
{
  return crc32(bytes.data(), offsetof(Wire, checksum));
}

}  // namespace

HeaderBytes encode(const FrameHeader & header)
{
  Wire wire{
    MAGIC,
    static_cast<std::uint8_t>(header.kind),
    0,
    header.port,
    header.step,
    header.time_ns,
    header.length,
    0};
  HeaderBytes bytes;
  std::memcpy(bytes.data(), &wire, HEADER_SIZE);
  wire.checksum = checksum(bytes);
  std::memcpy(bytes.data(), &wire, HEADER_SIZE);
  return bytes;
}

FrameHeader decode(const HeaderBytes & bytes, std::uint64_t number)
{
  Wire wire;
  std::memcpy(&wire, bytes.data(), HEADER_SIZE);
  const auto malformed = [number](const std::string & what) {
    return RunError("frame " + std::to_string(number) + " of stdin " + what);
  };
  if (wire.magic != MAGIC) {
    throw malformed("does not start with LKD1");
  }
  if (wire.checksum != checksum(bytes)) {
    throw malformed("has a wrong checksum");
  }
  if (wire.zero != 0) {
    throw malformed("has " + std::to_string(wire.zero) + " in byte 5, which is 0 in this version");
  }
  if (wire.length > MAX_PAYLOAD) {
    throw malformed(
      "has a payload of " + std::to_string(wire.length) + " bytes; at most " +
      std::to_string(MAX_PAYLOAD) + " are allowed");
  }
  return {static_cast<FrameKind>(wire.kind), wire.port, wire.step, wire.time_ns, wire.length};
}

}  // namespace lockstep
