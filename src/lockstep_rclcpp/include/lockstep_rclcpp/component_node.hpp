#ifndef LOCKSTEP_RCLCPP__COMPONENT_NODE_HPP_
#define LOCKSTEP_RCLCPP__COMPONENT_NODE_HPP_

#include <memory>
#include <string>
#include <vector>

#include "lockstep_rclcpp/message_type.hpp"
#include "rclcpp/rclcpp.hpp"

namespace lockstep_rclcpp
{

class LiveRun;

/// A component as an rclcpp node: its ports, parameters and timers on the executor of its
/// container.
///
/// The callbacks of the component are one mutually exclusive group. When one of them throws, the
/// process logs one FATAL line, shuts rclcpp down and ends with exit code 3.
class ComponentNode : public rclcpp::Node
{
public:
  /// \param class_name a class registered with LOCKSTEP_COMPONENT
  /// \param types those of all ports
  /// \throws std::exception if the component cannot be made, a parameter is given a value of
  /// another type or out of range, or on_start throws
  ComponentNode(
    const std::string & class_name, const rclcpp::NodeOptions & options,
    const std::vector<MessageType> & types);
  ~ComponentNode() override;

private:
  std::unique_ptr<LiveRun> run_;
};

}  // namespace lockstep_rclcpp

#endif  // LOCKSTEP_RCLCPP__COMPONENT_NODE_HPP_
