#ifndef LOCKSTEP__HOST__LOG_HPP_
#define LOCKSTEP__HOST__LOG_HPP_

#include <string>
#include <utility>
#include <vector>

#include "lockstep/logger.hpp"

namespace lockstep
{

/// Log a line of a component through the ROS logger of a name. lockstep/host/log.py is the twin.
void log(const char * logger, Severity severity, const std::string & text);

/// Write a line as that logger would to the terminal, and use nothing of rcl, which may be gone.
void log_to_terminal(const char * logger, Severity severity, const std::string & text);

/// Set from which severity on loggers write.
/// \param log_levels names of loggers and severities; the empty name stands for every logger
/// \throws UsageError for a severity that there is not
void set_log_levels(const std::vector<std::pair<std::string, int>> & log_levels);

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__LOG_HPP_
