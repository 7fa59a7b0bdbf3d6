#ifndef PROCESS__CLOCK_HPP_
#define PROCESS__CLOCK_HPP_

#include <algorithm>
#include <cstdint>
#include <limits>

namespace rmw_lockstep
{

/// A deadline that never comes.
inline constexpr std::int64_t FOREVER = std::numeric_limits<std::int64_t>::max();

/// The time of this process, in ns since the epoch.
///
/// There are two views of it. The run's time stands still while code runs, and steps from event to
/// event: timers, sleeps and messages go by it. What code reads from a clock is the run's time at
/// first, and then one TICK more with each reading, in the total order of all readings of all
/// threads, so that differences of times are never 0. The lead of the readings is forgotten when
/// the run's time steps past it. Until its first step the readings of a process are from just
/// before the run begins, which is when its timers start.
class Clock
{
public:
  /// What each reading is later than the one before.
  static constexpr std::int64_t TICK_NS = 1000;
  /// Code that reads so far ahead is busy waiting: time has passed indeed.
  static constexpr std::int64_t MAX_LEAD_NS = 1000000;
  /// How long before the run begins the process starts, as it sees it.
  static constexpr std::int64_t START_UP_NS = 10000000;
  /// What a steady clock shows when the run begins.
  static constexpr std::int64_t STEADY_START_NS = 1000000000000;

  explicit Clock(std::int64_t start_ns)
  : start_ns_(start_ns),
    now_ns_(start_ns),
    last_read_ns_(std::max(start_ns - START_UP_NS, std::int64_t{0}))  // ROS has no time before 0
  {
  }

  /// The first step comes.
  void has_started() { is_starting_ = false; }

  /// The run's time.
  std::int64_t now_ns() const { return now_ns_; }

  /// Time steps to `time_ns`; never back.
  void step_to(std::int64_t time_ns) { now_ns_ = std::max(now_ns_, time_ns); }

  /// What a thread reads.
  std::int64_t read(int thread)
  {
    before_last_read_ns_ = last_read_ns_;
    last_reader_ = thread;
    const bool is_behind = last_read_ns_ < now_ns_ && !is_starting_;
    last_read_ns_ = is_behind ? now_ns_ : last_read_ns_ + TICK_NS;
    return last_read_ns_;
  }

  /// The last reading, if it was this thread's, does not count.
  void take_back_reading(int thread)
  {
    if (last_reader_ == thread) {
      last_read_ns_ = before_last_read_ns_;
      last_reader_ = 0;
    }
  }

  /// Whether code has read so far ahead that time has passed, which it has from now on.
  bool has_passed_by_reading()
  {
    if (last_read_ns_ - now_ns_ <= MAX_LEAD_NS) {
      return false;
    }
    now_ns_ = last_read_ns_;
    return true;
  }

  /// The run's time at which a deadline comes that a thread has computed from what it has read: if
  /// it has read just before, as long after now as it is after that reading.
  std::int64_t deadline(std::int64_t read_ns, int thread) const
  {
    if (read_ns == FOREVER || !(is_starting_ || last_reader_ == thread)) {
      return read_ns;
    }
    return read_ns - last_read_ns_ + now_ns_;
  }

  std::int64_t steady(std::int64_t system_ns) const
  {
    return system_ns - start_ns_ + STEADY_START_NS;
  }
  std::int64_t system(std::int64_t steady_ns) const
  {
    return steady_ns - STEADY_START_NS + start_ns_;
  }

private:
  std::int64_t start_ns_;
  std::int64_t now_ns_;
  std::int64_t last_read_ns_;
  std::int64_t before_last_read_ns_ = 0;
  int last_reader_ = 0;
  bool is_starting_ = true;
};

}  // namespace rmw_lockstep

#endif  // PROCESS__CLOCK_HPP_
