#ifndef NODE__NODE_HPP_
#define NODE__NODE_HPP_

#include <memory>
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

  /// The same for whoever may outlive the node, in any thread: a component's logger. Without the
  /// node, lines go to the terminal alone.
  Logger::Sink log_sink() const;

private:
  struct Log;

  rcl_node_t node_;
  std::shared_ptr<Log> log_;
};

}  // namespace lockstep

#endif  // NODE__NODE_HPP_
