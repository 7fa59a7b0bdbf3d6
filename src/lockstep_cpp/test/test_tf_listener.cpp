#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "geometry_msgs/msg/transform_stamped.hpp"
#include "lockstep/tf_listener.hpp"
#include "tf2_msgs/msg/tf_message.hpp"

using geometry_msgs::msg::TransformStamped;
using tf2_msgs::msg::TFMessage;

namespace
{

struct Follower : lockstep::Component
{
  explicit Follower(const std::string & name = "tf") : tf(this, name) {}
  lockstep::TfListener tf;
};

TFMessage told(
  const std::string & parent, const std::string & child, std::int64_t time_ns, double x, double y)
{
  TransformStamped transform;
  transform.header.stamp = lockstep::to_stamp(time_ns);
  transform.header.frame_id = parent;
  transform.child_frame_id = child;
  transform.transform.translation.x = x;
  transform.transform.translation.y = y;
  TFMessage message;
  message.transforms.push_back(transform);
  return message;
}

}  // namespace

TEST(TfListener, is_two_inputs_that_it_hears_itself)
{
  constexpr std::int64_t S = 1'000'000'000;
  Follower follower;
  const Follower other;
  ASSERT_EQ(follower.inputs().size(), 2u);
  lockstep::InputPort & changing = *follower.inputs()[0];
  lockstep::InputPort & fixed = *follower.inputs()[1];
  EXPECT_EQ(changing.name(), "tf");
  EXPECT_EQ(changing.topic(), "/tf");
  EXPECT_EQ(changing.qos().durability, lockstep::Durability::volatile_);
  EXPECT_EQ(fixed.name(), "tf_static");
  EXPECT_EQ(fixed.topic(), "/tf_static");
  EXPECT_EQ(fixed.qos().durability, lockstep::Durability::transient_local);
  EXPECT_EQ(fixed.qos().depth, 100u);

  const TFMessage first = told("a", "b", S, 1.0, 0.0);
  const TFMessage second = told("b", "c", 0, 0.0, 2.0);
  changing.deliver(&first);
  fixed.deliver(&second);
  const TransformStamped found = follower.tf.lookup("a", "c", S);
  EXPECT_EQ(found.header.frame_id, "a");
  EXPECT_EQ(found.child_frame_id, "c");
  EXPECT_EQ(lockstep::stamp_ns(found.header.stamp), S);
  EXPECT_EQ(found.transform.translation.x, 1.0);
  EXPECT_EQ(found.transform.translation.y, 2.0);
  EXPECT_FALSE(follower.tf.can_lookup("a", "c", S + 1));
  EXPECT_FALSE(other.tf.can_lookup("a", "c", S));  // which has heard nothing
}

TEST(TfListener, has_the_names_that_inputs_may_have)
{
  EXPECT_THROW(Follower("logger"), std::invalid_argument);
}
