/// System calls made by way of syscall(), as std::future, std::atomic::wait, Rust and TBB do.

#include <linux/futex.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>

#include "../process/real.hpp"
#include "waits.hpp"

using namespace rmw_lockstep;

namespace
{

long wait_on_futex(
  const std::uint32_t * address, long operation, std::uint32_t value, const timespec * time)
{
  if (__atomic_load_n(address, __ATOMIC_ACQUIRE) != value) {
    errno = EAGAIN;
    return -1;
  }
  Woken woken = Woken::by_event;
  if (time == nullptr) {
    woken = wait_for_address(WaitsFor::futex, address, nullptr, true);
  } else {
    std::int64_t deadline = 0;
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {  // whose time is relative
      Held held(run().scheduler.lock);
      deadline = later(run().clock.now_ns(), to_ns(*time));
    } else {
      const bool is_real = (operation & FUTEX_CLOCK_REALTIME) != 0;
      deadline = deadline_of(is_real ? CLOCK_REALTIME : CLOCK_MONOTONIC, *time);
    }
    woken = wait_for_address(WaitsFor::futex, address, &deadline, true);
  }
  if (woken == Woken::by_event) {
    return 0;
  }
  errno = woken == Woken::by_deadline ? ETIMEDOUT : EINTR;
  return -1;
}

/// Also wakes threads that the C library itself has put to sleep there.
long wake_futex(const void * address, long operation, std::uint32_t most)
{
  const std::size_t woken = wake_address(WaitsFor::futex, address, most);
  const long others =
    woken < most ? raw_syscall(SYS_futex, address, operation, most - woken, nullptr, nullptr, -1)
                 : 0;
  return static_cast<long>(woken) + (others > 0 ? others : 0);
}

}  // namespace

REPLACE long syscall(long number, ...) noexcept
{
  va_list given;
  va_start(given, number);
  const long a = va_arg(given, long);
  const long b = va_arg(given, long);
  const long c = va_arg(given, long);
  const long d = va_arg(given, long);
  const long e = va_arg(given, long);
  const long f = va_arg(given, long);
  va_end(given);
  if (!is_on()) {
    return with_errno(raw_call(number, a, b, c, d, e, f));
  }
  switch (number) {
    case SYS_futex: {
      const long command = b & FUTEX_CMD_MASK;
      if (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) {
        return wait_on_futex(
          reinterpret_cast<const std::uint32_t *>(a), b, static_cast<std::uint32_t>(c),
          reinterpret_cast<const timespec *>(d));
      }
      if (command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET) {
        return wake_futex(reinterpret_cast<const void *>(a), b, static_cast<std::uint32_t>(c));
      }
      break;
    }
    case SYS_getrandom:
      return getrandom(
        reinterpret_cast<void *>(a), static_cast<std::size_t>(b), static_cast<unsigned>(c));
    case SYS_getpid:
      return PROCESS_ID;
    case SYS_clock_gettime:
      return clock_gettime(static_cast<clockid_t>(a), reinterpret_cast<timespec *>(b));
    default:
      break;
  }
  return with_errno(raw_call(number, a, b, c, d, e, f));
}
