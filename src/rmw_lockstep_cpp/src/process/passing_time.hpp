#ifndef PROCESS__PASSING_TIME_HPP_
#define PROCESS__PASSING_TIME_HPP_

#include <cstdint>

#include "scheduler.hpp"

namespace rmw_lockstep
{

struct Run;

/// How long a busy wait takes before it looks again.
inline constexpr std::int64_t BUSY_NS = 1000000;

/// The kernel's steady clock, in ns.
std::int64_t real_now_ns();

/// The run's time.
std::int64_t run_time();

/// The time of a clock that code reads, in ns since the epoch.
std::int64_t read_clock();

/// When this process would next do something by itself.
std::int64_t next_deadline_ns(const Run & run);

/// The next deadline has come.
void expire_next(Run & run);

/// Code may have read clocks for so long that time has passed: then others may run.
void let_time_pass(Held & held);

/// A node has taken a message, which takes the time that the model of its costs says.
void spend_cost(Held & held);

}  // namespace rmw_lockstep

#endif  // PROCESS__PASSING_TIME_HPP_
