#ifndef LOCKSTEP__HOST__EXECUTION_HPP_
#define LOCKSTEP__HOST__EXECUTION_HPP_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "lockstep/component.hpp"
#include "lockstep/schedule.hpp"
#include "lockstep/time.hpp"

namespace lockstep
{

/// Runs a component's callbacks on the run's time and tells which one failed. Every run of every
/// host stands on it. lockstep/host/execution.py is the twin.
///
/// Every method throws RunError if a callback throws, and Stopped if a stop was requested between
/// two timers.
class Execution
{
public:
  Execution(Component & component, const std::atomic<bool> & stop_requested);

  /// Call on_start; the time is 0.
  void start();

  /// Call on_parameters_changed, unless the component has not been started yet.
  void parameters_changed();

  /// Step time, firing the timers that fall due on the way.
  void advance(std::int64_t now_ns);

  /// Call the input's callback with the message in its buffer.
  void deliver(InputPort & input) { deliver(input, input.buffer()); }

  /// Call the input's callback with a message of its type.
  void deliver(InputPort & input, const void * message);

  /// Told the index of each timer that has fired, and how long its callback took.
  using TimerListener = std::function<void(std::size_t timer, std::chrono::nanoseconds duration)>;
  void connect(TimerListener listener) { timer_listener_ = std::move(listener); }

  /// Time has another source from now on: the timers start again.
  void restart() { schedule_.restart(); }

  std::int64_t now_ns() const { return schedule_.now_ns(); }
  const Schedule & schedule() const { return schedule_; }

private:
  template <typename Callback>
  void call(const std::string & name, Callback && callback);

  Component & component_;
  const std::atomic<bool> & stop_requested_;
  Schedule schedule_;
  TimerListener timer_listener_;
  bool started_ = false;
};

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__EXECUTION_HPP_
