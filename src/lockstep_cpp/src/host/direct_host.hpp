#ifndef HOST__DIRECT_HOST_HPP_
#define HOST__DIRECT_HOST_HPP_

#include <string>
#include <utility>
#include <vector>

namespace lockstep
{

/// Make runs of a component by the direct protocol (docs/direct-protocol.md), as many as the input
/// has, with neither node nor middleware.
/// \param class_name a registered class without its namespace
/// \param logger the name under which it logs
/// \param log_levels as in Arguments
/// \throws what DirectRun::run does
void run_directly(
  const std::string & class_name, const std::string & logger,
  const std::vector<std::pair<std::string, int>> & log_levels);

}  // namespace lockstep

#endif  // HOST__DIRECT_HOST_HPP_
