// A port with a fault that is easily made: the state is kept in float32, so that rounding adds up.

#include "imu_complementary_filter.hpp"
#include "lockstep/registration.hpp"

using ImuComplementaryFilter = BasicImuComplementaryFilter<float>;
LOCKSTEP_COMPONENT(ImuComplementaryFilter)
