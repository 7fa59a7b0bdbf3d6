#ifndef LOCKSTEP__TRANSFORMS_HPP_
#define LOCKSTEP__TRANSFORMS_HPP_

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

namespace lockstep
{

/// There is no such transform, at that time or at all.
class TransformError : public std::runtime_error
{
public:
  using std::runtime_error::runtime_error;
};

/// A translation (x, y, z) in metres.
using Translation = std::array<double, 3>;

/// A rotation as a unit quaternion (x, y, z, w).
using Rotation = std::array<double, 4>;

/// A transform that was looked up.
struct Transform
{
  Translation translation{0.0, 0.0, 0.0};
  Rotation rotation{0.0, 0.0, 0.0, 1.0};
  /// The time it is of, in ns.
  std::int64_t time_ns = 0;
};

/// Transforms between frames at a time: what tf2's BufferCore does, operation for operation, so that
/// its results are tf2's to the last bit. Those of the last ten seconds are kept, and static ones.
/// lockstep/component/transforms.py is the twin.
class TransformBuffer
{
public:
  /// Take a transform from `child` to `parent`.
  /// \return whether it is one: not between a frame and itself or one without a name, with NaN, or
  /// without a rotation, all 0
  bool add(
    std::string parent, std::string child, std::int64_t time_ns, const Translation & translation,
    const Rotation & rotation, bool is_static);

  /// The transform from the source to the target frame at a time; 0 is the latest at which all are
  /// known.
  /// \throws TransformError
  Transform lookup(
    const std::string & target, const std::string & source, std::int64_t time_ns = 0) const;

private:
  struct Stored
  {
    std::int64_t time_ns;
    Rotation rotation;
    Translation translation;
    std::string parent;
  };

  /// The transforms of a frame by time, of one time in the order in which they were told; or the one
  /// that is static.
  struct Frame
  {
    bool is_static;
    std::deque<Stored> stored;

    std::int64_t latest_ns() const;
    void add(Stored added);
    Stored at(std::int64_t time_ns) const;
  };

  struct Way;

  const Frame * frame(const std::string & name) const;
  Way way(const std::string & target, const std::string & source, std::int64_t time_ns) const;
  std::int64_t latest_common_ns(const std::string & target, const std::string & source) const;

  std::set<std::string> known_;
  std::map<std::string, Frame> frames_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__TRANSFORMS_HPP_
