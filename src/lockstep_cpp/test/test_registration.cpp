#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "lockstep/registration.hpp"

namespace demo
{

struct Registered : lockstep::Component
{
  Parameter<double> gain{this, "gain", 1.0};
};

}  // namespace demo

LOCKSTEP_COMPONENT(demo::Registered)

TEST(Registration, makes_a_component_by_name_with_or_without_namespace)
{
  EXPECT_EQ(lockstep::make_component("Registered")->parameters().size(), 1U);
  EXPECT_EQ(lockstep::make_component("demo::Registered")->parameters().size(), 1U);
  EXPECT_EQ(lockstep::registered_components(), std::vector<std::string>{"Registered"});
}

TEST(Registration, says_which_class_is_missing)
{
  try {
    lockstep::make_component("Missing");
    FAIL();
  } catch (const std::invalid_argument & error) {
    EXPECT_NE(std::string(error.what()).find("Missing"), std::string::npos);
  }
}

TEST(Registration, nodes_are_named_after_classes_in_snake_case)
{
  EXPECT_EQ(lockstep::snake_case("VectorNormalizer"), "vector_normalizer");
  EXPECT_EQ(lockstep::snake_case("ImuComplementaryFilter"), "imu_complementary_filter");
  EXPECT_EQ(lockstep::snake_case("IMUFilter"), "imu_filter");
  EXPECT_EQ(lockstep::snake_case("Imu2Filter"), "imu2_filter");
  EXPECT_EQ(lockstep::snake_case("Probe"), "probe");
}
