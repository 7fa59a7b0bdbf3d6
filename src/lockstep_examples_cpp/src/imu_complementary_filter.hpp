// ImuComplementaryFilter: orientation from gyroscope and accelerometer; state and time matter.
//
// The explicit complementary filter with bias estimate of R. Mahony, T. Hamel, J.-M. Pflimlin,
// "Nonlinear complementary filters on the special orthogonal group", IEEE Trans. Automatic Control
// 53(5), 2008, eqs. (32a-c) with gravity as the only reference direction; frames and signs as in
// REP-103 and REP-145.

#ifndef IMU_COMPLEMENTARY_FILTER_HPP_
#define IMU_COMPLEMENTARY_FILTER_HPP_

#include <array>
#include <cmath>
#include <cstdint>

#include "geometry_msgs/msg/quaternion_stamped.hpp"
#include "lockstep/component.hpp"
#include "sensor_msgs/msg/imu.hpp"

/// Estimate the orientation of an IMU; yaw starts at zero and drifts with the gyroscope.
/// \tparam State the number type in which the orientation and the bias are kept
template <typename State>
class BasicImuComplementaryFilter : public lockstep::Component
{
  using Imu = sensor_msgs::msg::Imu;
  using QuaternionStamped = geometry_msgs::msg::QuaternionStamped;

  Input<Imu> imu{this, "imu", &BasicImuComplementaryFilter::on_imu};
  Output<QuaternionStamped> orientation{this, "orientation"};
  Parameter<double> gain{this, "gain", 1.0, "trust in the accelerometer, 1/s"};
  Parameter<double> bias_gain{
    this, "bias_gain", 0.01, "rate at which the gyroscope's bias is learnt, 1/s^2"};
  Parameter<double> max_gap{this, "max_gap", 1.0, "start anew after a gap longer than this, s"};

  std::array<State, 4> q{1, 0, 0, 0};  // w, x, y, z: body to world
  std::array<State, 3> bias{};         // rad/s
  std::int64_t last_ns = -1;

  void on_imu(const Imu & msg)
  {
    const auto & w = msg.angular_velocity;
    const auto & a = msg.linear_acceleration;
    for (const double value : {w.x, w.y, w.z, a.x, a.y, a.z}) {
      if (!std::isfinite(value)) {
        logger.warning("skipped a sample that is not finite");
        return;
      }
    }
    const std::int64_t now_ns = lockstep::stamp_ns(msg.header.stamp);
    const double dt = static_cast<double>(now_ns - last_ns) * 1e-9;
    if (last_ns < 0 || dt < 0.0 || dt > max_gap) {
      start(a.x, a.y, a.z);
    } else {
      update(w.x, w.y, w.z, a.x, a.y, a.z, dt);
    }
    last_ns = now_ns;

    QuaternionStamped result;
    result.header = msg.header;
    result.quaternion.w = q[0];
    result.quaternion.x = q[1];
    result.quaternion.y = q[2];
    result.quaternion.z = q[3];
    orientation.publish(result);
  }

  /// Level the filter: roll and pitch from the accelerometer, yaw zero.
  void start(double ax, double ay, double az)
  {
    const double roll = std::atan2(ay, az);
    const double pitch = std::atan2(-ax, std::sqrt(ay * ay + az * az));
    const double cr = std::cos(0.5 * roll), sr = std::sin(0.5 * roll);
    const double cp = std::cos(0.5 * pitch), sp = std::sin(0.5 * pitch);
    set_q(cr * cp, sr * cp, cr * sp, -sr * sp);
    bias = {};
  }

  /// Integrate the gyroscope over `dt` seconds and pull towards gravity.
  void update(double wx, double wy, double wz, double ax, double ay, double az, double dt)
  {
    const double q0 = q[0], q1 = q[1], q2 = q[2], q3 = q[3];
    wx -= bias[0];
    wy -= bias[1];
    wz -= bias[2];

    double norm = std::sqrt(ax * ax + ay * ay + az * az);
    if (norm > 0.0) {
      // "up" as the filter sees it, in the body frame
      const double vx = 2.0 * (q1 * q3 - q0 * q2);
      const double vy = 2.0 * (q0 * q1 + q2 * q3);
      const double vz = q0 * q0 - q1 * q1 - q2 * q2 + q3 * q3;
      // the rotation that is missing: measured x estimated
      const double ex = (ay * vz - az * vy) / norm;
      const double ey = (az * vx - ax * vz) / norm;
      const double ez = (ax * vy - ay * vx) / norm;
      bias[0] = static_cast<State>(bias[0] - bias_gain * ex * dt);
      bias[1] = static_cast<State>(bias[1] - bias_gain * ey * dt);
      bias[2] = static_cast<State>(bias[2] - bias_gain * ez * dt);
      wx += gain * ex;
      wy += gain * ey;
      wz += gain * ez;
    }

    const double half = 0.5 * dt;
    const double p0 = q0 + half * (-q1 * wx - q2 * wy - q3 * wz);
    const double p1 = q1 + half * (q0 * wx + q2 * wz - q3 * wy);
    const double p2 = q2 + half * (q0 * wy - q1 * wz + q3 * wx);
    const double p3 = q3 + half * (q0 * wz + q1 * wy - q2 * wx);
    norm = std::sqrt(p0 * p0 + p1 * p1 + p2 * p2 + p3 * p3);
    if (norm > 0.0 && std::isfinite(norm)) {
      set_q(p0 / norm, p1 / norm, p2 / norm, p3 / norm);
    } else {  // a rate beyond all reason
      start(ax, ay, az);
    }
  }

  void set_q(double w, double x, double y, double z)
  {
    q = {
      static_cast<State>(w), static_cast<State>(x), static_cast<State>(y), static_cast<State>(z)};
  }
};

#endif  // IMU_COMPLEMENTARY_FILTER_HPP_
