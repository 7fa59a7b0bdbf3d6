#include "check.hpp"

#include <stdexcept>
#include <string>

#include "host/ros_error.hpp"

namespace lockstep
{

void check(rcl_ret_t ret, const char * what)
{
  if (ret != RCL_RET_OK) {
    throw std::runtime_error(std::string(what) + ": " + take_ros_error());
  }
}

void check(rcl_ret_t ret, const std::string & what) { check(ret, what.c_str()); }

}  // namespace lockstep
