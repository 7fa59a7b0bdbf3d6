#ifndef LOCKSTEP__HOST__EVENTS_HPP_
#define LOCKSTEP__HOST__EVENTS_HPP_

#include <exception>
#include <string>

namespace lockstep
{

/// Tell the harness, if there is one, why this process is about to end: a line of JSON in the file
/// that LOCKSTEP_EVENTS names. The twin of events.py, which says what is in it.
void tell_error(const std::exception & error, const std::string & message);

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__EVENTS_HPP_
