#include "crc32.hpp"

#include <array>

namespace lockstep
{

namespace
{

constexpr std::size_t LANES = 4;
constexpr std::uint32_t POLYNOMIAL = 0xedb88320;  // reversed: the lowest bit comes first

using Table = std::array<std::uint32_t, 256>;

/// TABLES[lane][byte]: what `byte` adds to the checksum when `lane` more bytes follow it.
constexpr std::array<Table, LANES> make_tables()
{
  std::array<Table, LANES> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
    }
    tables[0][byte] = crc;
  }
  for (std::size_t lane = 1; lane < LANES; ++lane) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t crc = tables[lane - 1][byte];
      tables[lane][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}

constexpr std::array<Table, LANES> TABLES = make_tables();

}  // namespace

std::uint32_t crc32(const std::uint8_t * bytes, std::size_t size)
{
  std::uint32_t crc = 0xffffffff;
  const std::uint8_t * const end = bytes + size;
  for (; end - bytes >= static_cast<std::ptrdiff_t>(LANES); bytes += LANES) {
    crc = TABLES[3][(crc ^ bytes[0]) & 0xff] ^ TABLES[2][((crc >> 8) ^ bytes[1]) & 0xff] ^
          TABLES[1][((crc >> 16) ^ bytes[2]) & 0xff] ^ TABLES[0][(crc >> 24) ^ bytes[3]];
  }
  for (; bytes != end; ++bytes) {
    crc = (crc >> 8) ^ TABLES[0][(crc ^ *bytes) & 0xff];
  }
  return ~crc;
}

}  // namespace lockstep
