#ifndef LIVE_RUN_HPP_
#define LIVE_RUN_HPP_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lockstep/component.hpp"
#include "lockstep/host/execution.hpp"
#include "lockstep/host/output_gate.hpp"
#include "lockstep_rclcpp/message_type.hpp"
#include "parameters.hpp"
#include "rclcpp/rclcpp.hpp"
#include "shutdown.hpp"
#include "time_steps.hpp"

namespace lockstep_rclcpp
{

/// An ordinary live run of a component on the node's clock and the node's executor.
///
/// All that it does is in the node's default callback group, so one thing at a time.
class LiveRun
{
public:
  /// Starts the component; its messages and timers come when an executor spins the node.
  LiveRun(
    rclcpp::Node & node, std::unique_ptr<lockstep::Component> component,
    const std::vector<MessageType> & types);
  LiveRun(const LiveRun &) = delete;
  LiveRun & operator=(const LiveRun &) = delete;

private:
  void connect_logger();
  void create_ports(const std::vector<MessageType> & types);

  /// Step to the clock's time, firing the timers that fall due on the way.
  void advance();

  /// Have the executor wake when the next timer is due, if only system time can tell.
  void set_alarm();

  /// Run a callback of the executor; if it fails, so does the process.
  template <typename Callback>
  void guarded(Callback && callback);

  rclcpp::Node & node_;
  std::unique_ptr<lockstep::Component> component_;
  const Shutdown shutdown_;
  bool failed_ = false;
  lockstep::Execution execution_;
  std::shared_ptr<TimeSteps> time_steps_;
  rclcpp::TimerBase::SharedPtr alarm_;
  std::optional<std::int64_t> alarm_ns_;
  std::optional<Parameters> parameters_;
  std::vector<rclcpp::SubscriptionBase::SharedPtr> subscriptions_;
  std::vector<MessageType::Sink> publishers_;
  lockstep::OutputGate gate_;  ///< closed before the rest goes
};

}  // namespace lockstep_rclcpp

#endif  // LIVE_RUN_HPP_
