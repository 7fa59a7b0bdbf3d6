#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

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

TEST(Registration, is_forgotten_with_its_library)
{
  {
    const lockstep::Registration loaded(
      "other::Passing", [] { return std::make_unique<demo::Registered>(); });
    EXPECT_NE(lockstep::make_component("Passing"), nullptr);
  }
  EXPECT_THROW(lockstep::make_component("Passing"), std::invalid_argument);
  EXPECT_EQ(lockstep::registered_components(), std::vector<std::string>{"Registered"});
}

TEST(Registration, never_guesses_between_two_classes_of_one_name)
{
  const lockstep::Registration other(
    "other::Registered", [] { return std::make_unique<demo::Registered>(); });
  EXPECT_THROW(lockstep::make_component("demo::Registered"), std::invalid_argument);
}

TEST(Registration, nodes_are_named_after_classes_in_snake_case)
{
  EXPECT_EQ(lockstep::snake_case("VectorNormalizer"), "vector_normalizer");
  EXPECT_EQ(lockstep::snake_case("ImuComplementaryFilter"), "imu_complementary_filter");
  EXPECT_EQ(lockstep::snake_case("IMUFilter"), "imu_filter");
  EXPECT_EQ(lockstep::snake_case("Imu2Filter"), "imu2_filter");
  EXPECT_EQ(lockstep::snake_case("Probe"), "probe");
}
