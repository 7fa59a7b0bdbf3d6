/// Randomness that is the same in every run.

#include "../process/randomness.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "../process/real.hpp"
#include "../process/start.hpp"

using namespace rmw_lockstep;

REPLACE ssize_t getrandom(void * bytes, std::size_t size, unsigned flags)
{
  if (!is_on()) {
    return with_errno(raw_syscall(SYS_getrandom, bytes, size, flags));
  }
  fill_randomly(bytes, size);
  return static_cast<ssize_t>(size);
}

REPLACE int getentropy(void * bytes, std::size_t size) noexcept
{
  if (!is_on()) {
    return REAL(getentropy)(bytes, size);
  }
  fill_randomly(bytes, size);
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
