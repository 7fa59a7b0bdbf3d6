#ifndef SHUTDOWN_HPP_
#define SHUTDOWN_HPP_

#include <atomic>
#include <utility>

#include "rclcpp/rclcpp.hpp"

namespace lockstep_rclcpp
{

/// Whether a context of rclcpp has been shut down, as long as this lives.
class Shutdown
{
public:
  explicit Shutdown(rclcpp::Context::SharedPtr context)
  : context_(std::move(context)),
    callback_(context_->add_on_shutdown_callback([this] { requested_ = true; }))
  {
  }
  ~Shutdown() { context_->remove_on_shutdown_callback(callback_); }
  Shutdown(const Shutdown &) = delete;
  Shutdown & operator=(const Shutdown &) = delete;

  const std::atomic<bool> & requested() const { return requested_; }

private:
  rclcpp::Context::SharedPtr context_;
  std::atomic<bool> requested_{false};
  rclcpp::OnShutdownCallbackHandle callback_;
};

}  // namespace lockstep_rclcpp

#endif  // SHUTDOWN_HPP_
