#ifndef HOST__CRC32_HPP_
#define HOST__CRC32_HPP_

#include <cstddef>
#include <cstdint>

namespace lockstep
{

/// The CRC-32 of ISO 3309 (that of Ethernet, PNG and zlib's crc32).
std::uint32_t crc32(const std::uint8_t * bytes, std::size_t size);

}  // namespace lockstep

#endif  // HOST__CRC32_HPP_
