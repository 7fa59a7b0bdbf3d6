#include "live_run.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "failure.hpp"
#include "lockstep/host/errors.hpp"
#include "lockstep/host/log.hpp"
#include "rcl/timer.h"
#include "rclcpp/exceptions.hpp"

namespace lockstep_rclcpp
{

namespace
{

constexpr std::chrono::hours FOREVER{24 * 365};

rclcpp::QoS to_rclcpp(const lockstep::QoS & qos)
{
  rclcpp::QoS profile(rclcpp::KeepLast(qos.depth));
  profile.reliability(
    qos.reliability == lockstep::Reliability::reliable ? rclcpp::ReliabilityPolicy::Reliable
                                                       : rclcpp::ReliabilityPolicy::BestEffort);
  profile.durability(
    qos.durability == lockstep::Durability::transient_local
      ? rclcpp::DurabilityPolicy::TransientLocal
      : rclcpp::DurabilityPolicy::Volatile);
  return profile;
}

const MessageType & type_of(const lockstep::Port & port, const std::vector<MessageType> & types)
{
  const auto found = std::find_if(types.begin(), types.end(), [&port](const MessageType & type) {
    return type.name == port.type();
  });
  if (found == types.end()) {
    throw std::invalid_argument(
      "port '" + port.name() + "' has the type " + port.type() +
      ", which this node was not built with; build it again");
  }
  return *found;
}

}  // namespace

LiveRun::LiveRun(
  rclcpp::Node & node, std::unique_ptr<lockstep::Component> component,
  const std::vector<MessageType> & types)
: node_(node),
  component_(std::move(component)),
  shutdown_(node.get_node_base_interface()->get_context()),
  execution_(*component_, shutdown_.requested()),
  time_steps_(TimeSteps::create(node, [this] { guarded([this] { advance(); }); })),
  gate_(
    *component_, [this](std::size_t output, const void * message) { publishers_[output](message); })
{
  connect_logger();
  parameters_.emplace(
    node_, *component_, [this] { guarded([this] { execution_.parameters_changed(); }); });
  create_ports(types);
  if (!component_->timers().empty()) {
    alarm_ = node_.create_wall_timer(FOREVER, [this] {
      alarm_ns_.reset();
      guarded([this] { advance(); });
    });
    alarm_->cancel();
  }
  execution_.start();
  advance();
}

void LiveRun::connect_logger()
{
  component_->logger.connect(
    [logger = node_.get_logger()](lockstep::Severity severity, const std::string & text) {
      lockstep::log(logger.get_name(), severity, text);
    });
}

void LiveRun::create_ports(const std::vector<MessageType> & types)
{
  for (const lockstep::OutputPort * output : component_->outputs()) {
    publishers_.push_back(
      type_of(*output, types).advertise(node_, output->topic(), to_rclcpp(output->qos())));
  }
  for (lockstep::InputPort * input : component_->inputs()) {
    const auto deliver = [this, input](const void * message) {
      guarded([&] {
        advance();
        execution_.deliver(*input, message);
      });
    };
    subscriptions_.push_back(
      type_of(*input, types).subscribe(node_, input->topic(), to_rclcpp(input->qos()), deliver));
  }
}

void LiveRun::advance()
{
  const TimeSteps::Now now = time_steps_->now();
  if (now.has_another_source) {
    execution_.restart();
  }
  execution_.advance(now.ns);
  set_alarm();
}

void LiveRun::set_alarm()
{
  const std::optional<std::int64_t> due_ns = execution_.schedule().next_due_ns();
  if (!alarm_ || due_ns == alarm_ns_) {
    return;
  }
  alarm_ns_ = due_ns;
  const auto clock = node_.get_clock();
  if (!due_ns || clock->ros_time_is_active()) {
    alarm_->cancel();
    return;
  }
  // rclcpp has timers of a fixed period only.
  std::int64_t old_period_ns = 0;
  const rcl_ret_t ret = rcl_timer_exchange_period(
    alarm_->get_timer_handle().get(),
    std::max<std::int64_t>(0, *due_ns - clock->now().nanoseconds()), &old_period_ns);
  if (ret != RCL_RET_OK) {
    rclcpp::exceptions::throw_from_rcl_error(ret, "setting a timer");
  }
  alarm_->reset();
}

template <typename Callback>
void LiveRun::guarded(Callback && callback)
{
  if (failed_) {
    return;
  }
  try {
    callback();
  } catch (const lockstep::Stopped &) {
    return;
  } catch (const std::exception & error) {
    failed_ = true;
    end_process(node_, error.what());
  }
}

}  // namespace lockstep_rclcpp
