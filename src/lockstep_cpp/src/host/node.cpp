#include "node.hpp"

#include <string>

#include "errors.hpp"
#include "rcl/logging.h"
#include "rcl/logging_rosout.h"
#include "rcl/node_options.h"
#include "rcutils/logging.h"

namespace lockstep
{

Node::Node(Context & context, const std::string & default_name)
: node_(rcl_get_zero_initialized_node())
{
  const rcl_node_options_t options = rcl_node_get_default_options();
  const rcl_ret_t ret = rcl_node_init(&node_, default_name.c_str(), "", context.handle(), &options);
  if (ret == RCL_RET_NODE_INVALID_NAME || ret == RCL_RET_NODE_INVALID_NAMESPACE) {
    throw UsageError(take_rcl_error());
  }
  check(ret, "creating the node");
  if (rcl_logging_rosout_enabled()) {
    check(rcl_logging_rosout_init_publisher_for_node(&node_), "creating the publisher of /rosout");
  }
}

Node::~Node()
{
  if (rcl_logging_rosout_fini_publisher_for_node(&node_) != RCL_RET_OK) {
    take_rcl_error();
  }
  if (rcl_node_fini(&node_) != RCL_RET_OK) {
    take_rcl_error();
  }
}

void Node::log(Severity severity, const std::string & text) const
{
  // rcl's /rosout handler needs a location; a component's line has none that would help.
  static constexpr rcutils_log_location_t NOWHERE{"", "", 0};
  const char * logger = rcl_node_get_logger_name(&node_);
  const int level = static_cast<int>(severity);
  if (rcutils_logging_logger_is_enabled_for(logger, level)) {
    rcutils_log(&NOWHERE, level, logger, "%s", text.c_str());
  }
}

}  // namespace lockstep
