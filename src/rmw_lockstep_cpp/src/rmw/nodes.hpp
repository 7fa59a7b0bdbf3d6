#ifndef RMW__NODES_HPP_
#define RMW__NODES_HPP_

#include <string>
#include <vector>

namespace rmw_lockstep
{

/// The names of the nodes of this process, in the order in which they were made; wants a turn.
std::vector<std::string> & node_names();

}  // namespace rmw_lockstep

#endif  // RMW__NODES_HPP_
