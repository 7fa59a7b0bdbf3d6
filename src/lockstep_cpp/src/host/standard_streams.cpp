#include "standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "lockstep/host/errors.hpp"

namespace lockstep
{

namespace
{

constexpr int PIPE_SIZE = 1 << 20;  // what users without privileges may have at most

/// A descriptor of the same file, which programs that the component starts do not inherit.
int duplicate(int file, const char * name)
{
  const int duplicate = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (duplicate < 0) {
    throw RunError(std::string(name) + " cannot be used: " + std::strerror(errno));
  }
  // Only faster: a file is no pipe, and a user may have reached the limit for all pipes.
  fcntl(duplicate, F_SETPIPE_SZ, PIPE_SIZE);
  return duplicate;
}

/// Make `file` lead to /dev/null.
void discard(int file)
{
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || dup2(null, file) < 0) {
    throw RunError(std::string("/dev/null cannot be used: ") + std::strerror(errno));
  }
  close(null);
}

}  // namespace

int take_standard_input()
{
  const int frames = duplicate(STDIN_FILENO, "the standard input");
  discard(STDIN_FILENO);
  return frames;
}

int take_standard_output()
{
  const int frames = duplicate(STDOUT_FILENO, "the standard output");
  if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {  // there is no standard error
    discard(STDOUT_FILENO);
  }
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  return frames;
}

}  // namespace lockstep
