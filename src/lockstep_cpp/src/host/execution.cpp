#include "lockstep/host/execution.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "lockstep/host/errors.hpp"

namespace lockstep
{

namespace
{

using SteadyClock = std::chrono::steady_clock;

std::vector<std::int64_t> periods_ns(const Component & component)
{
  std::vector<std::int64_t> periods;
  for (const Timer * timer : component.timers()) {
    periods.push_back(timer->period_ns());
  }
  return periods;
}

}  // namespace

Execution::Execution(Component & component, const std::atomic<bool> & stop_requested)
: component_(component), stop_requested_(stop_requested), schedule_(periods_ns(component))
{
}

template <typename Callback>
void Execution::call(const std::string & name, Callback && callback)
{
  const auto failed = [&](const std::string & what) {
    return CallbackError(
      "on_" + name + " failed at " + seconds(component_.now()) + " s: " + one_line(what));
  };
  try {
    callback();
  } catch (const Stopped &) {
    throw;
  } catch (const RunError &) {
    throw;  // by publishing
  } catch (const std::exception & error) {
    throw failed(error.what());
  } catch (...) {
    throw failed("an exception that is no std::exception");
  }
}

void Execution::start()
{
  call("start", [this] { component_.on_start(); });
  started_ = true;
}

void Execution::parameters_changed()
{
  if (started_) {
    call("parameters_changed", [this] { component_.on_parameters_changed(); });
  }
}

void Execution::advance(std::int64_t now_ns)
{
  schedule_.advance(now_ns, [this](std::size_t index) {
    if (stop_requested_) {
      throw Stopped();
    }
    const Timer & timer = *component_.timers()[index];
    component_.set_now(schedule_.now_ns());
    const auto start = SteadyClock::now();
    call(timer.name(), [&timer] { timer.fire(); });
    if (timer_listener_) {
      timer_listener_(index, SteadyClock::now() - start);
    }
  });
  component_.set_now(schedule_.now_ns());
}

void Execution::deliver(InputPort & input, const void * message)
{
  call(input.name(), [&input, message] { input.deliver(message); });
}

}  // namespace lockstep
