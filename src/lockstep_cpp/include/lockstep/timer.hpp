#ifndef LOCKSTEP__TIMER_HPP_
#define LOCKSTEP__TIMER_HPP_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace lockstep
{

class Component;

/// Calls the component's `on_<name>` once per period of the run's time.
class Timer
{
public:
  /// \param owner the component: `this`
  /// \param name the name in the component, unique among its timers
  /// \param period_s in seconds, rounded to nanoseconds
  /// \param callback the component's method that is called
  /// \throws std::invalid_argument if the name is empty or taken, or if the period is less than a
  /// nanosecond or more than a century
  template <typename Owner, typename Class>
  Timer(Owner * owner, std::string name, double period_s, void (Class::*callback)())
  : Timer(*owner, std::move(name), period_s, [owner, callback] { (owner->*callback)(); })
  {
  }

  Timer(const Timer &) = delete;
  Timer & operator=(const Timer &) = delete;

  /// \return the name in the component
  const std::string & name() const { return name_; }

  /// \return the period in ns
  std::int64_t period_ns() const { return period_ns_; }

  /// Call the component's callback.
  void fire() const { callback_(); }

private:
  Timer(Component & owner, std::string name, double period_s, std::function<void()> callback);

  std::string name_;
  std::int64_t period_ns_;
  std::function<void()> callback_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__TIMER_HPP_
