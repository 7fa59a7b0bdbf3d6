#ifndef HOST__ERRORS_HPP_
#define HOST__ERRORS_HPP_

#include <stdexcept>
#include <string>

#include "rcl/types.h"

namespace lockstep
{

/// What the user asked for cannot be done; exit code 2. The text is one sentence.
class UsageError : public std::runtime_error
{
public:
  using std::runtime_error::runtime_error;
};

/// A callback threw, or a rule of lockstep was broken; exit code 3. The text is one sentence.
class RunError : public std::runtime_error
{
public:
  using std::runtime_error::runtime_error;
};

/// The process was asked to stop. No std::exception: nothing went wrong.
struct Stopped
{
};

/// The text of rcl's last error without the places in its source; clears the error.
std::string take_rcl_error();

/// \throws std::runtime_error "<what>: <rcl's error>" unless `ret` is RCL_RET_OK
void check(rcl_ret_t ret, const char * what);
void check(rcl_ret_t ret, const std::string & what);

/// `text` on one line.
std::string one_line(std::string text);

}  // namespace lockstep

#endif  // HOST__ERRORS_HPP_
