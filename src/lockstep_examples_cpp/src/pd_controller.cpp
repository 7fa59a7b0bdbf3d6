// PdController: two inputs, a timer at a fixed rate and parameters.
//
// The discrete PD law with a filtered derivative on the measurement of K. J. Åström and
// R. M. Murray, "Feedback Systems", 2nd ed., section 11.5, by backward differences.

#include <algorithm>
#include <string>

#include "geometry_msgs/msg/twist.hpp"
#include "geometry_msgs/msg/wrench_stamped.hpp"
#include "lockstep/component.hpp"
#include "lockstep/registration.hpp"
#include "nav_msgs/msg/odometry.hpp"

using geometry_msgs::msg::Twist;
using geometry_msgs::msg::WrenchStamped;
using nav_msgs::msg::Odometry;

/// Force and torque that make a mobile base follow a commanded velocity.
class PdController : public lockstep::Component
{
  Input<Twist> command{this, "command", &PdController::on_command};
  Input<Odometry> odometry{this, "odometry", &PdController::on_odometry};
  Output<WrenchStamped> wrench{this, "wrench"};
  Timer control{this, "control", 0.02, &PdController::on_control};
  Parameter<double> kp_linear{this, "kp_linear", 40.0, "N per m/s"};
  Parameter<double> kd_linear{this, "kd_linear", 2.0, "N per m/s^2"};
  Parameter<double> kp_angular{this, "kp_angular", 8.0, "Nm per rad/s"};
  Parameter<double> kd_angular{this, "kd_angular", 0.5, "Nm per rad/s^2"};
  Parameter<double> filter_time{
    this, "filter_time", 0.05, "time constant of the derivative's filter, s", Minimum{0.0}};
  Parameter<double> max_force{this, "max_force", 60.0, "N", Minimum{0.0}};
  Parameter<double> max_torque{this, "max_torque", 20.0, "Nm", Minimum{0.0}};

  struct Motion
  {
    double linear = 0.0;
    double angular = 0.0;
  };

  Motion target;  // m/s, rad/s
  Motion measured;
  Motion previous;
  Motion derivative;
  std::string frame_id;
  bool running = false;

  void on_command(const Twist & msg) { target = {msg.linear.x, msg.angular.z}; }

  void on_odometry(const Odometry & msg)
  {
    measured = {msg.twist.twist.linear.x, msg.twist.twist.angular.z};
    frame_id = msg.child_frame_id;
    if (!running) {
      previous = measured;
      running = true;
    }
  }

  void on_control()
  {
    if (!running) {
      return;
    }
    const double dt = 0.02;
    const double filter_time = std::max<double>(this->filter_time, 0.0);
    const double decay = filter_time / (filter_time + dt);
    derivative = {
      decay * derivative.linear + (1.0 - decay) * ((measured.linear - previous.linear) / dt),
      decay * derivative.angular + (1.0 - decay) * ((measured.angular - previous.angular) / dt)};
    const double force =
      kp_linear * (target.linear - measured.linear) - kd_linear * derivative.linear;
    const double torque =
      kp_angular * (target.angular - measured.angular) - kd_angular * derivative.angular;
    previous = measured;

    WrenchStamped result;
    result.header.stamp = lockstep::to_stamp(now());
    result.header.frame_id = frame_id;
    result.wrench.force.x = std::max(-max_force, std::min<double>(force, max_force));
    result.wrench.torque.z = std::max(-max_torque, std::min<double>(torque, max_torque));
    wrench.publish(result);
  }
};

LOCKSTEP_COMPONENT(PdController)
