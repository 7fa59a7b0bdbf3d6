#ifndef LOCKSTEP__HOST_HPP_
#define LOCKSTEP__HOST_HPP_

#include <string>

namespace lockstep
{

/// The program of a component: a live node, alone or in lockstep with the player, or direct runs.
/// lockstep/nodes/host.py is the twin.
/// \param argc the number of arguments of `main`
/// \param argv the arguments of `main`: `--contract`, `--lockstep`, `--direct`, `--help` and
/// `--ros-args …`
/// \param class_name a class registered with LOCKSTEP_COMPONENT
/// \return the exit code: 0 stopped by a signal, 2 bad arguments or parameters, 3 the run failed
int host_main(int argc, char ** argv, const std::string & class_name);

}  // namespace lockstep

#endif  // LOCKSTEP__HOST_HPP_
