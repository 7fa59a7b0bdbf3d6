/// Timers of the kernel. Those with a descriptor go by the time of the run; those that send signals
/// are told, because nobody knows when they do.

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

#include "../process/harness.hpp"
#include "../process/real.hpp"
#include "times.hpp"

using namespace rmw_lockstep;

namespace
{

constexpr const char * SENDS_SIGNALS = "a timer of the kernel sends signals (alarm, setitimer)";

itimerspec remaining(const Timer & timer)
{
  const bool is_set = timer.deadline_ns != FOREVER;
  const std::int64_t left_ns = is_set ? timer.deadline_ns - run().clock.now_ns() : 0;
  return {to_timespec(timer.period_ns), to_timespec(left_ns)};
}

/// What has fired before a timer is set anew is forgotten.
void forget_firings(int descriptor)
{
  pollfd asked{descriptor, POLLIN, 0};
  const timespec now{0, 0};
  if (raw_syscall(SYS_ppoll, &asked, 1, &now, nullptr, 0) > 0) {
    std::uint64_t times = 0;
    raw_syscall(SYS_read, descriptor, &times, sizeof times);
  }
}

void tell_of_signals()
{
  Held held(run().scheduler.lock);
  tell_uncontrolled(SENDS_SIGNALS);
}

}  // namespace

REPLACE int timerfd_create(clockid_t clock, int flags) noexcept
{
  if (!is_on() || !is_virtual(clock)) {
    return REAL(timerfd_create)(clock, flags);
  }
  const long descriptor = with_errno(raw_syscall(SYS_eventfd2, 0, flags));
  if (descriptor >= 0) {
    const Held held(run().scheduler.lock);
    run().timers.add(static_cast<int>(descriptor), clock);
  }
  return static_cast<int>(descriptor);
}

REPLACE int timerfd_settime(
  int descriptor, int flags, const itimerspec * wanted, itimerspec * before) noexcept
{
  if (!is_on()) {
    return REAL(timerfd_settime)(descriptor, flags, wanted, before);
  }
  const std::int64_t value_ns = to_ns(wanted->it_value);
  const Held held(run().scheduler.lock);
  Timer * timer = run().timers.find(descriptor);
  if (timer == nullptr) {
    return REAL(timerfd_settime)(descriptor, flags, wanted, before);
  }
  if (before != nullptr) {
    *before = remaining(*timer);
  }
  forget_firings(descriptor);
  timer->period_ns = to_ns(wanted->it_interval);
  if (value_ns == 0) {
    timer->deadline_ns = FOREVER;
  } else if ((flags & TFD_TIMER_ABSTIME) == 0) {
    timer->deadline_ns = later(run().clock.now_ns(), value_ns);
  } else {
    const bool is_on_steady = is_steady(timer->clock) && value_ns != FOREVER;
    const std::int64_t read_ns = is_on_steady ? run().clock.system(value_ns) : value_ns;
    timer->deadline_ns = run().clock.deadline(read_ns, thread_id());
  }
  return 0;
}

REPLACE int timerfd_gettime(int descriptor, itimerspec * left) noexcept
{
  if (is_on()) {
    const Held held(run().scheduler.lock);
    if (const Timer * timer = run().timers.find(descriptor)) {
      *left = remaining(*timer);
      return 0;
    }
  }
  return REAL(timerfd_gettime)(descriptor, left);
}

REPLACE unsigned alarm(unsigned seconds) noexcept
{
  if (is_on() && seconds > 0) {
    tell_of_signals();
  }
  return REAL(alarm)(seconds);
}

REPLACE int setitimer(__itimer_which_t which, const itimerval * wanted, itimerval * before) noexcept
{
  if (
    is_on() && wanted != nullptr && (wanted->it_value.tv_sec > 0 || wanted->it_value.tv_usec > 0)) {
    tell_of_signals();
  }
  return REAL(setitimer)(which, wanted, before);
}

REPLACE int timer_settime(
  timer_t timer, int flags, const itimerspec * wanted, itimerspec * before) noexcept
{
  if (is_on()) {
    tell_of_signals();
  }
  return REAL(timer_settime)(timer, flags, wanted, before);
}
