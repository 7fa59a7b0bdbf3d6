#ifndef HOST__LOG_HPP_
#define HOST__LOG_HPP_

#include <string>

#include "lockstep/logger.hpp"

namespace lockstep
{

/// Log a line of a component through the ROS logger of a name.
void log(const char * logger, Severity severity, const std::string & text);

}  // namespace lockstep

#endif  // HOST__LOG_HPP_
