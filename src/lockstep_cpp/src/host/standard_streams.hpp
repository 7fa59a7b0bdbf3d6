#ifndef HOST__STANDARD_STREAMS_HPP_
#define HOST__STANDARD_STREAMS_HPP_

namespace lockstep
{

/// Keep standard input for frames: whatever else reads it finds nothing.
/// lockstep/host/standard_streams.py is the twin.
/// \return the descriptor to read frames from
/// \throws RunError if there is no standard input
int take_standard_input();

/// Keep standard output for frames: whatever else is printed goes to standard error.
/// \return the descriptor to write frames to
/// \throws RunError if there is no standard output
int take_standard_output();

}  // namespace lockstep

#endif  // HOST__STANDARD_STREAMS_HPP_
