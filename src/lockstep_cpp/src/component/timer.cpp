#include "lockstep/timer.hpp"

#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "declare.hpp"
#include "json.hpp"
#include "lockstep/component.hpp"
#include "names.hpp"

namespace lockstep
{

namespace
{

std::int64_t to_period_ns(const std::string & name, double period_s)
{
  // Also false for NaN. More than 100 years would overflow the sum with a time.
  if (!(period_s >= 1e-9 && period_s <= 3.2e9)) {
    throw std::invalid_argument(
      "timer '" + name + "' has a period of " + shortest(period_s) +
      " s; make it at least a nanosecond and at most a hundred years");
  }
  return std::llround(period_s * 1e9);
}

}  // namespace

Timer::Timer(Component & owner, std::string name, double period_s, std::function<void()> callback)
: name_(std::move(name)), period_ns_(to_period_ns(name_, period_s)), callback_(std::move(callback))
{
  check_name("timer", name_);
  declare("timer", this, owner.timers_);
}

}  // namespace lockstep
