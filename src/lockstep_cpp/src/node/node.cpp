#include "node.hpp"

#include <mutex>
#include <string>

#include "check.hpp"
#include "host/ros_error.hpp"
#include "lockstep/host/errors.hpp"
#include "lockstep/host/log.hpp"
#include "rcl/logging.h"
#include "rcl/logging_rosout.h"
#include "rcl/node_options.h"

namespace lockstep
{

struct Node::Log
{
  explicit Log(const char * logger) : logger(logger) {}

  void write(Severity severity, const std::string & text)
  {
    const std::lock_guard<std::mutex> lock(mutex);
    (ended ? log_to_terminal : lockstep::log)(logger.c_str(), severity, text);
  }

  void end()
  {
    const std::lock_guard<std::mutex> lock(mutex);
    ended = true;
  }

  std::mutex mutex;  // a component's threads may log while the node ends
  const std::string logger;
  bool ended = false;
};

Node::Node(Context & context, const std::string & default_name)
: node_(rcl_get_zero_initialized_node())
{
  const rcl_node_options_t options = rcl_node_get_default_options();
  const rcl_ret_t ret = rcl_node_init(&node_, default_name.c_str(), "", context.handle(), &options);
  if (ret == RCL_RET_NODE_INVALID_NAME || ret == RCL_RET_NODE_INVALID_NAMESPACE) {
    throw UsageError(take_ros_error());
  }
  check(ret, "creating the node");
  if (rcl_logging_rosout_enabled()) {
    check(rcl_logging_rosout_init_publisher_for_node(&node_), "creating the publisher of /rosout");
  }
  log_ = std::make_shared<Log>(rcl_node_get_logger_name(&node_));
}

Node::~Node()
{
  log_->end();
  if (rcl_logging_rosout_fini_publisher_for_node(&node_) != RCL_RET_OK) {
    take_ros_error();
  }
  if (rcl_node_fini(&node_) != RCL_RET_OK) {
    take_ros_error();
  }
}

void Node::log(Severity severity, const std::string & text) const { log_->write(severity, text); }

Logger::Sink Node::log_sink() const
{
  return [log = log_](Severity severity, const std::string & text) { log->write(severity, text); };
}

}  // namespace lockstep
