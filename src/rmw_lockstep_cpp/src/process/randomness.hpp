#ifndef PROCESS__RANDOMNESS_HPP_
#define PROCESS__RANDOMNESS_HPP_

#include <cstddef>
#include <cstdint>

namespace rmw_lockstep
{

/// Fill memory with random bytes, of a generator with a seed that is always the same (SplitMix64).
void fill_randomly(void * bytes, std::size_t size);

/// From now on random numbers are others than in the processes of other numbers, so that what is
/// made of them is unique among all; 0 changes nothing.
void vary_randomness(std::uint16_t number);

}  // namespace rmw_lockstep

#endif  // PROCESS__RANDOMNESS_HPP_
