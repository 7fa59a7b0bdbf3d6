#include "lockstep_rclcpp/component_node.hpp"

#include <memory>
#include <string>
#include <vector>

#include "live_run.hpp"
#include "lockstep/registration.hpp"

namespace lockstep_rclcpp
{

ComponentNode::ComponentNode(
  const std::string & class_name, const rclcpp::NodeOptions & options,
  const std::vector<MessageType> & types)
: Node(lockstep::snake_case(lockstep::unqualified(class_name)), options),
  run_(std::make_unique<LiveRun>(*this, lockstep::make_component(class_name), types))
{
}

ComponentNode::~ComponentNode() = default;

}  // namespace lockstep_rclcpp
