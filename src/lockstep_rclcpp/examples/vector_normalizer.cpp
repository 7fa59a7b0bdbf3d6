// VectorNormalizer as one writes it for rclcpp, without Lockstep.

#include <cmath>
#include <memory>

#include "geometry_msgs/msg/vector3_stamped.hpp"
#include "rclcpp/rclcpp.hpp"

using geometry_msgs::msg::Vector3Stamped;

/// Scale each vector to unit length.
class VectorNormalizer : public rclcpp::Node
{
public:
  VectorNormalizer() : Node("vector_normalizer")
  {
    rcl_interfaces::msg::ParameterDescriptor descriptor;
    descriptor.description = "below this length the zero vector is returned";
    declare_parameter("epsilon", 1e-12, descriptor);
    normalized_ = create_publisher<Vector3Stamped>("normalized", 10);
    vector_ = create_subscription<Vector3Stamped>(
      "vector", 10, [this](const Vector3Stamped & msg) { on_vector(msg); });
  }

private:
  void on_vector(const Vector3Stamped & msg)
  {
    const double x = msg.vector.x, y = msg.vector.y, z = msg.vector.z;
    const double length = std::sqrt(x * x + y * y + z * z);
    Vector3Stamped result;
    result.header = msg.header;
    if (!(length < get_parameter("epsilon").as_double() || length == 0.0)) {  // NaN stays NaN
      result.vector.x = x / length;
      result.vector.y = y / length;
      result.vector.z = z / length;
    }
    normalized_->publish(result);
  }

  rclcpp::Publisher<Vector3Stamped>::SharedPtr normalized_;
  rclcpp::Subscription<Vector3Stamped>::SharedPtr vector_;
};

int main(int argc, char ** argv)
{
  rclcpp::init(argc, argv);
  rclcpp::spin(std::make_shared<VectorNormalizer>());
  rclcpp::shutdown();
}
