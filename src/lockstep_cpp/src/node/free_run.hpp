#ifndef NODE__FREE_RUN_HPP_
#define NODE__FREE_RUN_HPP_

#include "clock.hpp"
#include "lockstep/host/execution.hpp"
#include "lockstep/host/output_gate.hpp"
#include "ports.hpp"
#include "services.hpp"
#include "stop_signal.hpp"
#include "wait_set.hpp"

namespace lockstep
{

/// An ordinary live node: messages are delivered as they arrive, on the ROS clock.
/// lockstep/nodes/free_run.py is the twin.
class FreeRun
{
public:
  FreeRun(
    const Component & component, Ports & ports, Clock & clock, Execution & execution,
    const Services & services, const StopSignal & stop, WaitSet & wait_set);

  /// Run until a stop is requested.
  /// \throws RunError if a callback fails
  void run();

private:
  void wait();
  void deliver_messages();

  Ports & ports_;
  Clock & clock_;
  Execution & execution_;
  const Services & services_;
  const StopSignal & stop_;
  WaitSet & wait_set_;
  OutputGate gate_;
};

}  // namespace lockstep

#endif  // NODE__FREE_RUN_HPP_
