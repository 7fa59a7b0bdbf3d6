#ifndef NODE__CHECK_HPP_
#define NODE__CHECK_HPP_

#include <string>

#include "rcl/types.h"

namespace lockstep
{

/// \throws std::runtime_error "<what>: <rcl's error>" unless `ret` is RCL_RET_OK
void check(rcl_ret_t ret, const char * what);
void check(rcl_ret_t ret, const std::string & what);

}  // namespace lockstep

#endif  // NODE__CHECK_HPP_
