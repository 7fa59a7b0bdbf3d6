#ifndef LOCKSTEP__HOST__ERRORS_HPP_
#define LOCKSTEP__HOST__ERRORS_HPP_

#include <stdexcept>
#include <string>

namespace lockstep
{

/// What the user asked for cannot be done; exit code 2. The text is one sentence.
class UsageError : public std::runtime_error
{
public:
  using std::runtime_error::runtime_error;
};

/// A rule of lockstep was broken; exit code 3. The text is one sentence.
class RunError : public std::runtime_error
{
public:
  using std::runtime_error::runtime_error;
};

/// A callback threw.
class CallbackError : public RunError
{
public:
  using RunError::RunError;
};

/// The process was asked to stop. No std::exception: nothing went wrong.
struct Stopped
{
};

/// `text` on one line.
std::string one_line(std::string text);

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__ERRORS_HPP_
