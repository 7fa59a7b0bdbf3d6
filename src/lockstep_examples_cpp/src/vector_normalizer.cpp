// VectorNormalizer: stateless, one message in, one message out.

#include <cmath>

#include "geometry_msgs/msg/vector3_stamped.hpp"
#include "lockstep/component.hpp"
#include "lockstep/registration.hpp"

using geometry_msgs::msg::Vector3Stamped;

/// Scale each vector to unit length.
class VectorNormalizer : public lockstep::Component
{
  Input<Vector3Stamped> vector{this, "vector", &VectorNormalizer::on_vector};
  Output<Vector3Stamped> normalized{this, "normalized"};
  Parameter<double> epsilon{
    this, "epsilon", 1e-12, "below this length the zero vector is returned"};

  void on_vector(const Vector3Stamped & msg)
  {
    const double x = msg.vector.x, y = msg.vector.y, z = msg.vector.z;
    const double length = std::sqrt(x * x + y * y + z * z);
    Vector3Stamped result;
    result.header = msg.header;
    if (!(length < epsilon || length == 0.0)) {  // NaN stays NaN
      result.vector.x = x / length;
      result.vector.y = y / length;
      result.vector.z = z / length;
    }
    normalized.publish(result);
  }
};

LOCKSTEP_COMPONENT(VectorNormalizer)
