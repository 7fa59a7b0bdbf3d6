#ifndef NODE__NODE_HPP_
#define NODE__NODE_HPP_

#include <string>

#include "context.hpp"
#include "lockstep/logger.hpp"
#include "rcl/node.h"

namespace lockstep
{

/// A node with /rosout, whose name and namespace come from the command line.
class Node
{
public:
  /// \throws UsageError if the command line gives it an impossible name or namespace
  Node(Context & context, const std::string & default_name);
  ~Node();
  Node(const Node &) = delete;
  Node & operator=(const Node &) = delete;

  rcl_node_t * handle() { return &node_; }

  std::string name() const { return rcl_node_get_name(&node_); }
  std::string fully_qualified_name() const { return rcl_node_get_fully_qualified_name(&node_); }

  /// Log through the node's ROS logger.
  void log(Severity severity, const std::string & text) const;

private:
  rcl_node_t node_;
};

}  // namespace lockstep

#endif  // NODE__NODE_HPP_
