#ifndef NODE__LOCKSTEP_RUN_HPP_
#define NODE__LOCKSTEP_RUN_HPP_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lockstep/host/execution.hpp"
#include "lockstep/host/message_codec.hpp"
#include "lockstep/host/output_gate.hpp"
#include "lockstep_interfaces/msg/acknowledgement.hpp"
#include "lockstep_interfaces/msg/steps.hpp"
#include "ports.hpp"
#include "services.hpp"
#include "stop_signal.hpp"
#include "topics.hpp"
#include "wait_set.hpp"

namespace lockstep
{

/// A run in lockstep with a player: time and messages are consumed as the steps on /lockstep/steps
/// say, in their order, and acknowledged on /lockstep/acknowledgement. Nothing is lost.
/// lockstep/nodes/lockstep_run.py is the twin.
class LockstepRun
{
public:
  LockstepRun(
    Node & node, const Component & component, Ports & ports, Execution & execution,
    const Services & services, const StopSignal & stop, WaitSet & wait_set);

  /// Announce the node until the first step, then run until a stop is requested.
  /// \throws RunError if a callback fails, a step is missing, or a message cannot be published
  void run();

private:
  using Timeout = std::optional<std::chrono::nanoseconds>;

  void take_steps();
  /// Go to the next step, if it has been announced.
  bool take_step();
  void announce();
  bool ready() const;
  void consume();
  void deliver_next(HostedInput & input);
  void acknowledge();

  void publish(std::size_t output, const void * message);
  void publish_surely(Publisher & publisher, const void * message);

  /// Call `attempt` until it publishes.
  template <typename Attempt>
  void insist(const Publisher & publisher, Attempt && attempt);

  /// Sleep until the subscription may have a message; services are answered meanwhile.
  void wait(const Subscription & subscription, Timeout timeout = std::nullopt);

  Ports & ports_;
  Execution & execution_;
  const Services & services_;
  const StopSignal & stop_;
  WaitSet & wait_set_;
  Subscription steps_;
  Publisher acknowledgements_;
  std::vector<MessageCodec> codecs_;
  std::vector<std::uint8_t> bytes_;
  lockstep_interfaces::msg::Steps announced_;
  std::size_t step_ = 0;  ///< the one of those announced that is to be consumed
  lockstep_interfaces::msg::Acknowledgement acknowledgement_;
  std::uint64_t acknowledged_ = 0;
  std::chrono::steady_clock::time_point acknowledged_at_;
  OutputGate gate_;  ///< closed before the rest goes
};

}  // namespace lockstep

#endif  // NODE__LOCKSTEP_RUN_HPP_
