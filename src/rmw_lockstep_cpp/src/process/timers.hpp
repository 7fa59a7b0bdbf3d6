#ifndef PROCESS__TIMERS_HPP_
#define PROCESS__TIMERS_HPP_

#include <time.h>

#include <cstdint>
#include <map>

#include "clock.hpp"

namespace rmw_lockstep
{

/// A timer that code waits for by a descriptor (timerfd): an eventfd, which counts how often it has
/// fired.
struct Timer
{
  clockid_t clock;
  std::int64_t deadline_ns = FOREVER;  ///< in the run's time
  std::int64_t period_ns = 0;          ///< 0: it fires once
};

/// The timers of this process that have descriptors.
class Timers
{
public:
  void add(int descriptor, clockid_t clock) { timers_[descriptor] = Timer{clock}; }
  void remove(int descriptor) { timers_.erase(descriptor); }

  /// The timer of a descriptor; null for one that is none.
  Timer * find(int descriptor);

  /// When the next one fires.
  std::int64_t earliest_ns() const;

  /// Let those fire that are due.
  void fire(std::int64_t now_ns);

private:
  std::map<int, Timer> timers_;
};

}  // namespace rmw_lockstep

#endif  // PROCESS__TIMERS_HPP_
