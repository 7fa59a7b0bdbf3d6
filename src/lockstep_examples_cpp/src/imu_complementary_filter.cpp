#include "imu_complementary_filter.hpp"

#include "lockstep/registration.hpp"

using ImuComplementaryFilter = BasicImuComplementaryFilter<double>;
LOCKSTEP_COMPONENT(ImuComplementaryFilter)
