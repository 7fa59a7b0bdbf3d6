// VectorGate: a service switches what an input does.

#include <cstdint>
#include <string>

#include "geometry_msgs/msg/vector3_stamped.hpp"
#include "lockstep/component.hpp"
#include "lockstep/registration.hpp"
#include "std_srvs/srv/set_bool.hpp"

using geometry_msgs::msg::Vector3Stamped;
using std_srvs::srv::SetBool;

/// Let vectors pass while the gate is open, which a service says.
class VectorGate : public lockstep::Component
{
  Input<Vector3Stamped> vector{this, "vector", &VectorGate::on_vector};
  Service<SetBool> set_open{this, "set_open", &VectorGate::on_set_open};
  Output<Vector3Stamped> passed{this, "passed"};
  Parameter<bool> starts_open{
    this, "starts_open", true, "whether vectors pass until the service is asked"};

  bool is_open_ = true;
  std::int64_t count_ = 0;

  void on_start() override { is_open_ = starts_open; }

  void on_vector(const Vector3Stamped & msg)
  {
    if (is_open_) {
      ++count_;
      passed.publish(msg);
    }
  }

  SetBool::Response on_set_open(const SetBool::Request & request)
  {
    SetBool::Response response;
    response.success = request.data != is_open_;
    response.message = std::to_string(count_) + " passed until now";
    is_open_ = request.data;
    return response;
  }
};

LOCKSTEP_COMPONENT(VectorGate)
