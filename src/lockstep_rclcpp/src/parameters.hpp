#ifndef PARAMETERS_HPP_
#define PARAMETERS_HPP_

#include <functional>

#include "lockstep/component.hpp"
#include "rclcpp/rclcpp.hpp"

namespace lockstep_rclcpp
{

/// A component's parameters, declared on a node and set through it.
class Parameters
{
public:
  /// \param changed called after parameters of the component have got new values
  /// \throws std::exception if the node's overrides have a value of another type or out of range
  Parameters(
    rclcpp::Node & node, const lockstep::Component & component, std::function<void()> changed);

private:
  rclcpp::node_interfaces::OnSetParametersCallbackHandle::SharedPtr check_;
  rclcpp::node_interfaces::PostSetParametersCallbackHandle::SharedPtr apply_;
};

}  // namespace lockstep_rclcpp

#endif  // PARAMETERS_HPP_
