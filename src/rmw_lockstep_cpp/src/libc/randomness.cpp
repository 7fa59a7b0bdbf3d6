/// Randomness: from a generator with a seed that is always the same (SplitMix64).

#include <sys/random.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "../process/real.hpp"
#include "../process/run.hpp"

using namespace rmw_lockstep;

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

void fill(void * bytes, std::size_t size)
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

}  // namespace

namespace rmw_lockstep
{

void vary_randomness(std::uint16_t number) { state += number * 0xD1B54A32D192ED03; }

}  // namespace rmw_lockstep

REPLACE ssize_t getrandom(void * bytes, std::size_t size, unsigned flags)
{
  if (!is_on()) {
    return with_errno(raw_syscall(SYS_getrandom, bytes, size, flags));
  }
  fill(bytes, size);
  return static_cast<ssize_t>(size);
}

REPLACE int getentropy(void * bytes, std::size_t size) noexcept
{
  if (!is_on()) {
    return REAL(getentropy)(bytes, size);
  }
  fill(bytes, size);
  return 0;
}

REPLACE std::uint32_t arc4random() noexcept
{
  std::uint32_t random = 0;
  getrandom(&random, sizeof random, 0);
  return random;
}

REPLACE void arc4random_buf(void * bytes, std::size_t size) noexcept { getrandom(bytes, size, 0); }

/// std::random_device, which would ask the processor.
REPLACE unsigned random_device_value(void *) asm("_ZNSt13random_device9_M_getvalEv");
unsigned random_device_value(void *)
{
  std::uint32_t random = 0;
  getrandom(&random, sizeof random, 0);
  return random;
}
