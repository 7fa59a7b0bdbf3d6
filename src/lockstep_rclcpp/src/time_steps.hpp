#ifndef TIME_STEPS_HPP_
#define TIME_STEPS_HPP_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "rclcpp/rclcpp.hpp"

namespace lockstep_rclcpp
{

/// Wakes the executor of a node whenever simulated time steps, or starts or ends.
class TimeSteps : public rclcpp::Waitable
{
public:
  /// \param stepped called in the node's default callback group
  static std::shared_ptr<TimeSteps> create(rclcpp::Node & node, std::function<void()> stepped);

  struct Now
  {
    std::int64_t ns;
    /// Whether time has changed between system time and simulated time since it was last told.
    bool has_another_source;
  };

  /// The time of the node's clock.
  Now now();

  std::size_t get_number_of_ready_guard_conditions() override { return 1; }
  void add_to_wait_set(rcl_wait_set_t & wait_set) override;
  bool is_ready(const rcl_wait_set_t & wait_set) override;
  std::shared_ptr<void> take_data() override { return nullptr; }
  std::shared_ptr<void> take_data_by_entity_id(std::size_t) override { return nullptr; }
  void execute(const std::shared_ptr<void> &) override { stepped_(); }
  void set_on_ready_callback(std::function<void(std::size_t, int)> callback) override;
  void clear_on_ready_callback() override;

private:
  TimeSteps(rclcpp::Node & node, std::function<void()> stepped);

  rclcpp::Clock::SharedPtr clock_;
  std::function<void()> stepped_;
  rclcpp::GuardCondition guard_condition_;
  bool has_another_source_ = false;  // guarded by the clock's mutex
  rclcpp::JumpHandler::SharedPtr jumps_;
};

}  // namespace lockstep_rclcpp

#endif  // TIME_STEPS_HPP_
