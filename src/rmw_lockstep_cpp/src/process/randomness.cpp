#include "randomness.hpp"

#include <cstring>

namespace rmw_lockstep
{

namespace
{

std::uint64_t state = 0;

std::uint64_t next_random()
{
  state += 0x9E3779B97F4A7C15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

void fill_randomly(void * bytes, std::size_t size)
{
  auto * at = static_cast<std::uint8_t *>(bytes);
  while (size > 0) {
    const std::uint64_t random = next_random();
    const std::size_t part = size < sizeof random ? size : sizeof random;
    std::memcpy(at, &random, part);
    at += part;
    size -= part;
  }
}

void vary_randomness(std::uint16_t number) { state += number * 0xD1B54A32D192ED03; }

}  // namespace rmw_lockstep
