#include "time_steps.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace lockstep_rclcpp
{

std::shared_ptr<TimeSteps> TimeSteps::create(rclcpp::Node & node, std::function<void()> stepped)
{
  std::shared_ptr<TimeSteps> time_steps(new TimeSteps(node, std::move(stepped)));
  node.get_node_waitables_interface()->add_waitable(time_steps, nullptr);
  return time_steps;
}

TimeSteps::TimeSteps(rclcpp::Node & node, std::function<void()> stepped)
: clock_(node.get_clock()),
  stepped_(std::move(stepped)),
  guard_condition_(node.get_node_base_interface()->get_context())
{
  rcl_jump_threshold_t any{};
  any.on_clock_change = true;
  any.min_forward.nanoseconds = 1;
  any.min_backward.nanoseconds = -1;
  // Called with the clock's mutex held, by whichever thread reads /clock.
  jumps_ = clock_->create_jump_callback(
    [] {},
    [this](const rcl_time_jump_t & jump) {
      has_another_source_ = has_another_source_ || jump.clock_change == RCL_ROS_TIME_ACTIVATED ||
                            jump.clock_change == RCL_ROS_TIME_DEACTIVATED;
      guard_condition_.trigger();
    },
    any);
}

TimeSteps::Now TimeSteps::now()
{
  const std::lock_guard<std::mutex> lock(clock_->get_clock_mutex());
  return {clock_->now().nanoseconds(), std::exchange(has_another_source_, false)};
}

void TimeSteps::add_to_wait_set(rcl_wait_set_t & wait_set)
{
  guard_condition_.add_to_wait_set(wait_set);
}

bool TimeSteps::is_ready(const rcl_wait_set_t & wait_set)
{
  const rcl_guard_condition_t ** end =
    wait_set.guard_conditions + wait_set.size_of_guard_conditions;
  return std::find(wait_set.guard_conditions, end, &guard_condition_.get_rcl_guard_condition()) !=
         end;
}

void TimeSteps::set_on_ready_callback(std::function<void(std::size_t, int)> callback)
{
  guard_condition_.set_on_trigger_callback(
    [callback = std::move(callback)](std::size_t count) { callback(count, 0); });
}

void TimeSteps::clear_on_ready_callback() { guard_condition_.set_on_trigger_callback(nullptr); }

}  // namespace lockstep_rclcpp
