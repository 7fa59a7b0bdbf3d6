#include "vector_normalizer_cpp/vector_normalizer.hpp"

#include <cmath>

#include "lockstep/registration.hpp"

namespace vector_normalizer_cpp
{

void VectorNormalizer::on_vector(const Vector3Stamped & msg)
{
  const double x = msg.vector.x, y = msg.vector.y, z = msg.vector.z;
  const double length = std::sqrt(x * x + y * y + z * z);
  Vector3Stamped result;
  result.header = msg.header;
  if (length >= epsilon && length > 0.0) {
    result.vector.x = x / length;
    result.vector.y = y / length;
    result.vector.z = z / length;
  }
  normalized.publish(result);
}

}  // namespace vector_normalizer_cpp

LOCKSTEP_COMPONENT(vector_normalizer_cpp::VectorNormalizer)
