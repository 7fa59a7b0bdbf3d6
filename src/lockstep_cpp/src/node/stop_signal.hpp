#ifndef NODE__STOP_SIGNAL_HPP_
#define NODE__STOP_SIGNAL_HPP_

#include <atomic>
#include <thread>

#include "context.hpp"
#include "rcl/guard_condition.h"

namespace lockstep
{

/// Keep SIGINT and SIGTERM for a StopSignal. To be called before the process starts any thread.
void block_stop_signals();

/// Turns SIGINT and SIGTERM into a flag and a guard condition that wakes a wait set.
///
/// A thread waits for the signals, because triggering a guard condition takes a lock, which no
/// signal handler may do. Another one, a second later or more, ends the process at once, with 128
/// plus its number, for callbacks that never return.
class StopSignal
{
public:
  explicit StopSignal(Context & context);
  ~StopSignal();
  StopSignal(const StopSignal &) = delete;
  StopSignal & operator=(const StopSignal &) = delete;

  const std::atomic<bool> & requested() const { return requested_; }
  const rcl_guard_condition_t & guard() const { return guard_; }

private:
  void watch();

  rcl_guard_condition_t guard_;
  std::atomic<bool> requested_{false};
  std::atomic<bool> finished_{false};
  std::thread thread_;
};

}  // namespace lockstep

#endif  // NODE__STOP_SIGNAL_HPP_
