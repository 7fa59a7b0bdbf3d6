#ifndef NODE__CONTEXT_HPP_
#define NODE__CONTEXT_HPP_

#include "rcl/context.h"

namespace lockstep
{

/// rcl, initialised from the command line, with ROS logging.
class Context
{
public:
  /// \throws UsageError if rcl does not accept the arguments or the environment
  Context(int argc, char ** argv);
  ~Context();
  Context(const Context &) = delete;
  Context & operator=(const Context &) = delete;

  rcl_context_t * handle() { return &context_; }

private:
  void shut_down();

  rcl_context_t context_;
};

}  // namespace lockstep

#endif  // NODE__CONTEXT_HPP_
