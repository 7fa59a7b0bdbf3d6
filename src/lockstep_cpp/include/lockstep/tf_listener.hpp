#ifndef LOCKSTEP__TF_LISTENER_HPP_
#define LOCKSTEP__TF_LISTENER_HPP_

#include <cstdint>
#include <string>

#include "geometry_msgs/msg/transform_stamped.hpp"
#include "lockstep/component.hpp"
#include "lockstep/time.hpp"
#include "lockstep/transforms.hpp"
#include "tf2_msgs/msg/tf_message.hpp"

namespace lockstep
{

/// Transforms as tf2 has them, without a thread: two inputs, `<name>` for /tf and `<name>_static`
/// for /tf_static, whose messages it takes itself. What is looked up is what was told up to now in
/// the run, and the same in each run. Ten seconds are kept; nothing is extrapolated.
/// lockstep/component/tf_listener.py is the twin.
class TfListener
{
public:
  /// \param owner the component: `this`
  /// \param name the name in the component
  /// \throws std::invalid_argument for a name that is taken or impossible
  TfListener(Component * owner, const std::string & name)
  : changing_(
      owner, name, [this](const TFMessage & msg) { take(msg, false); },
      QoS{Reliability::reliable, Durability::volatile_, DEPTH}, "/tf"),
    static_(
      owner, name + "_static", [this](const TFMessage & msg) { take(msg, true); },
      QoS{Reliability::reliable, Durability::transient_local, DEPTH}, "/tf_static")
  {
  }

  /// The transform from the source to the target frame at a time, interpolated as tf2 does.
  /// \param target the frame into which coordinates are taken
  /// \param source the frame in which they are
  /// \param time_ns 0: the latest time at which all transforms between them are known
  /// \return with that time as its stamp
  /// \throws TransformError for frames that are not known or not connected, and for a time before
  /// the first or after the last transform
  geometry_msgs::msg::TransformStamped lookup(
    const std::string & target, const std::string & source, std::int64_t time_ns = 0) const
  {
    const Transform found = buffer_.lookup(target, source, time_ns);
    geometry_msgs::msg::TransformStamped message;
    message.header.stamp = to_stamp(found.time_ns);
    message.header.frame_id = target;
    message.child_frame_id = source;
    message.transform.translation.x = found.translation[0];
    message.transform.translation.y = found.translation[1];
    message.transform.translation.z = found.translation[2];
    message.transform.rotation.x = found.rotation[0];
    message.transform.rotation.y = found.rotation[1];
    message.transform.rotation.z = found.rotation[2];
    message.transform.rotation.w = found.rotation[3];
    return message;
  }

  /// \return whether `lookup` would give a transform
  bool can_lookup(
    const std::string & target, const std::string & source, std::int64_t time_ns = 0) const
  {
    try {
      buffer_.lookup(target, source, time_ns);
      return true;
    } catch (const TransformError &) {
      return false;
    }
  }

private:
  using TFMessage = tf2_msgs::msg::TFMessage;

  static constexpr std::size_t DEPTH = 100;

  /// What is no transform is passed over.
  void take(const TFMessage & msg, bool is_static)
  {
    for (const auto & told : msg.transforms) {
      const auto & moved = told.transform.translation;
      const auto & turned = told.transform.rotation;
      buffer_.add(
        told.header.frame_id, told.child_frame_id, stamp_ns(told.header.stamp),
        {moved.x, moved.y, moved.z}, {turned.x, turned.y, turned.z, turned.w}, is_static);
    }
  }

  TransformBuffer buffer_;
  Input<TFMessage> changing_;
  Input<TFMessage> static_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__TF_LISTENER_HPP_
