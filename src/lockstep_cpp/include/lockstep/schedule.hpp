#ifndef LOCKSTEP__SCHEDULE_HPP_
#define LOCKSTEP__SCHEDULE_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lockstep
{

/// The run's time and the timers that hang on it.
///
/// Time advances from one message (or /clock) to the next; every timer that falls due in between
/// fires first, at its own due time, in the order of (due time, declaration). None is skipped or
/// merged. Time 0 means that no time is known yet. When time steps backwards (a bag that loops, a
/// simulation that resets) every timer starts again from there.
class Schedule
{
public:
  /// \param periods_ns of the timers, in the order of their declaration; each at least 1 ns
  explicit Schedule(std::vector<std::int64_t> periods_ns);

  /// The run's time; while a timer fires, the time at which it was due.
  std::int64_t now_ns() const { return now_ns_; }

  /// When the next timer fires; nothing without timers or before time is known.
  std::optional<std::int64_t> next_due_ns() const;

  /// Step time, firing each timer due on the way.
  /// \param now_ns ns since the epoch; 0 or less changes nothing
  /// \param fire is called with the index of each timer, std::size_t
  template <typename Fire>
  void advance(std::int64_t now_ns, Fire && fire)
  {
    if (now_ns <= 0) {
      return;
    }
    if (now_ns_ == 0 || now_ns < now_ns_) {
      start(now_ns);
    } else if (!dues_ns_.empty()) {
      // min_element finds the first of equal ones: the one declared first.
      for (auto due = std::min_element(dues_ns_.begin(), dues_ns_.end()); *due <= now_ns;
           due = std::min_element(dues_ns_.begin(), dues_ns_.end())) {
        const auto timer = static_cast<std::size_t>(due - dues_ns_.begin());
        now_ns_ = *due;
        *due += periods_ns_[timer];
        fire(timer);
      }
    }
    now_ns_ = now_ns;
  }

  /// Forget the time: the next step starts every timer again. For when time has another source.
  void restart() { now_ns_ = 0; }

private:
  void start(std::int64_t now_ns);

  std::vector<std::int64_t> periods_ns_;
  std::vector<std::int64_t> dues_ns_;
  std::int64_t now_ns_ = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP__SCHEDULE_HPP_
