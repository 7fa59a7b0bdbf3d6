#include "lockstep/transforms.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "lockstep/time.hpp"

namespace lockstep
{

namespace
{

/// How far back from the latest transform of a frame others are kept.
constexpr std::int64_t CACHE_NS = 10'000'000'000;
constexpr int MOST_FRAMES = 1000;
constexpr std::int64_t NEVER_NS = std::numeric_limits<std::int64_t>::max();

/// Nothing is known of a frame at a time; the text tells what is.
struct TooFar : std::runtime_error
{
  using std::runtime_error::runtime_error;
};

double dot(const Rotation & a, const Rotation & b)
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}

Translation sum(const Translation & a, const Translation & b)
{
  return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
}

Rotation inverse(const Rotation & q) { return {-q[0], -q[1], -q[2], q[3]}; }

Rotation product(const Rotation & a, const Rotation & b)
{
  return {
    a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
    a[3] * b[1] + a[1] * b[3] + a[2] * b[0] - a[0] * b[2],
    a[3] * b[2] + a[2] * b[3] + a[0] * b[1] - a[1] * b[0],
    a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2]};
}

Translation rotated(const Rotation & q, const Translation & v)
{
  const Rotation half = {
    q[3] * v[0] + q[1] * v[2] - q[2] * v[1], q[3] * v[1] + q[2] * v[0] - q[0] * v[2],
    q[3] * v[2] + q[0] * v[1] - q[1] * v[0], -q[0] * v[0] - q[1] * v[1] - q[2] * v[2]};
  const Rotation turned = product(half, inverse(q));
  return {turned[0], turned[1], turned[2]};
}

Rotation slerp(const Rotation & a, Rotation b, double ratio)
{
  if (dot(a, b) < 0.0) {
    b = {-b[0], -b[1], -b[2], -b[3]};
  }
  const double length = std::sqrt(dot(a, a) * dot(b, b));
  const double theta = std::acos(std::min(1.0, std::max(-1.0, dot(a, b) / length)));
  if (theta == 0.0) {
    return a;
  }
  const double d = 1.0 / std::sin(theta);
  const double s0 = std::sin((1.0 - ratio) * theta);
  const double s1 = std::sin(ratio * theta);
  return {
    (a[0] * s0 + b[0] * s1) * d, (a[1] * s0 + b[1] * s1) * d, (a[2] * s0 + b[2] * s1) * d,
    (a[3] * s0 + b[3] * s1) * d};
}

/// The same rotation as it comes back from a rotation matrix, where tf2 keeps it.
Rotation by_matrix(const Rotation & q)
{
  double s = 2.0 / dot(q, q);
  const double xs = q[0] * s, ys = q[1] * s, zs = q[2] * s;
  const double wx = q[3] * xs, wy = q[3] * ys, wz = q[3] * zs;
  const double xx = q[0] * xs, xy = q[0] * ys, xz = q[0] * zs;
  const double yy = q[1] * ys, yz = q[1] * zs, zz = q[2] * zs;
  const std::array<std::array<double, 3>, 3> m = {
    {{1.0 - (yy + zz), xy - wz, xz + wy},
     {xy + wz, 1.0 - (xx + zz), yz - wx},
     {xz - wy, yz + wx, 1.0 - (xx + yy)}}};
  const double trace = m[0][0] + m[1][1] + m[2][2];
  Rotation result{};
  if (trace > 0.0) {
    s = std::sqrt(trace + 1.0);
    result[3] = s * 0.5;
    s = 0.5 / s;
    result[0] = (m[2][1] - m[1][2]) * s;
    result[1] = (m[0][2] - m[2][0]) * s;
    result[2] = (m[1][0] - m[0][1]) * s;
    return result;
  }
  const std::size_t i =
    m[0][0] < m[1][1] ? (m[1][1] < m[2][2] ? 2 : 1) : (m[0][0] < m[2][2] ? 2 : 0);
  const std::size_t j = (i + 1) % 3, k = (i + 2) % 3;
  s = std::sqrt(m[i][i] - m[j][j] - m[k][k] + 1.0);
  result[i] = s * 0.5;
  s = 0.5 / s;
  result[3] = (m[k][j] - m[j][k]) * s;
  result[j] = (m[j][i] + m[i][j]) * s;
  result[k] = (m[k][i] + m[i][k]) * s;
  return result;
}

template <typename Numbers>
bool has_nan(const Numbers & numbers)
{
  return std::any_of(numbers.begin(), numbers.end(), [](double one) { return std::isnan(one); });
}

std::string without_slash(std::string name)
{
  return name.rfind('/', 0) == 0 ? name.substr(1) : std::move(name);
}

std::int64_t or_static(std::int64_t common_ns) { return common_ns == NEVER_NS ? 0 : common_ns; }

std::int64_t or_never(std::int64_t latest_ns) { return latest_ns == 0 ? NEVER_NS : latest_ns; }

std::string apart(const std::string & target, const std::string & source)
{
  return "no transforms connect '" + source + "' and '" + target + "'";
}

TransformError circle(const std::string & target, const std::string & source)
{
  return TransformError(
    "the transforms from '" + source + "' to '" + target + "' go round in a circle");
}

std::string unknown(
  const std::string & target, const std::string & source, std::int64_t time_ns,
  const std::string & name, const TooFar & known)
{
  return "no transform from '" + source + "' to '" + target + "' at " + seconds(time_ns) +
         " s: that of '" + name + "' is known " + known.what();
}

}  // namespace

/// What leads from a frame up to another one: rotate, then translate.
struct TransformBuffer::Way
{
  Rotation rotation{0.0, 0.0, 0.0, 1.0};
  Translation translation{0.0, 0.0, 0.0};

  void go_up(const Stored & step)
  {
    translation = sum(rotated(step.rotation, translation), step.translation);
    rotation = product(step.rotation, rotation);
  }

  Way back() const
  {
    const Rotation turned = inverse(rotation);
    return {turned, rotated(turned, {-translation[0], -translation[1], -translation[2]})};
  }
};

std::int64_t TransformBuffer::Frame::latest_ns() const
{
  return is_static || stored.empty() ? 0 : stored.back().time_ns;
}

void TransformBuffer::Frame::add(Stored added)
{
  if (is_static) {
    stored.assign(1, std::move(added));
    return;
  }
  const std::int64_t latest = latest_ns();
  while (!stored.empty() && stored.front().time_ns + CACHE_NS < latest) {
    stored.pop_front();
  }
  if (!stored.empty() && added.time_ns < latest - CACHE_NS) {
    return;
  }
  const auto place = std::upper_bound(
    stored.begin(), stored.end(), added.time_ns,
    [](std::int64_t time_ns, const Stored & one) { return time_ns < one.time_ns; });
  for (auto before = place; before != stored.begin();) {
    --before;
    if (before->time_ns != added.time_ns) {
      break;
    }
    if (
      before->rotation == added.rotation && before->translation == added.translation &&
      before->parent == added.parent) {
      return;
    }
  }
  stored.insert(place, std::move(added));
}

TransformBuffer::Stored TransformBuffer::Frame::at(std::int64_t time_ns) const
{
  if (is_static) {
    return stored.back();
  }
  const Stored & latest = stored.back();
  const Stored & earliest = stored.front();
  if (time_ns == 0 || time_ns == latest.time_ns) {
    return latest;
  }
  if (stored.size() == 1) {
    throw TooFar("at " + seconds(latest.time_ns) + " s alone");
  }
  if (time_ns == earliest.time_ns) {
    return earliest;
  }
  if (time_ns > latest.time_ns) {
    throw TooFar("until " + seconds(latest.time_ns) + " s");
  }
  if (time_ns < earliest.time_ns) {
    throw TooFar("from " + seconds(earliest.time_ns) + " s on");
  }
  const auto after = std::upper_bound(
    stored.begin(), stored.end(), time_ns,
    [](std::int64_t wanted, const Stored & one) { return wanted < one.time_ns; });
  const Stored & older = *(after - 1);
  const Stored & newer = *after;
  if (older.parent != newer.parent) {
    return older;
  }
  // Linear in the translation, spherical in the rotation.
  const double ratio = static_cast<double>(time_ns - older.time_ns) /
                       static_cast<double>(newer.time_ns - older.time_ns);
  const double rest = 1.0 - ratio;
  const Translation & a = older.translation;
  const Translation & b = newer.translation;
  return {
    older.time_ns, slerp(older.rotation, newer.rotation, ratio),
    Translation{rest * a[0] + ratio * b[0], rest * a[1] + ratio * b[1], rest * a[2] + ratio * b[2]},
    older.parent};
}

bool TransformBuffer::add(
  std::string parent, std::string child, std::int64_t time_ns, const Translation & translation,
  const Rotation & rotation, bool is_static)
{
  parent = without_slash(std::move(parent));
  child = without_slash(std::move(child));
  if (parent == child || parent.empty() || child.empty() || dot(rotation, rotation) == 0.0) {
    return false;
  }
  const Rotation kept = by_matrix(rotation);
  if (has_nan(translation) || has_nan(kept)) {
    return false;
  }
  const auto entry = frames_.try_emplace(child, Frame{is_static, {}}).first;
  if (entry->second.is_static != is_static) {
    entry->second = Frame{is_static, {}};
  }
  known_.insert(parent);
  known_.insert(child);
  entry->second.add({time_ns, kept, translation, parent});
  return true;
}

Transform TransformBuffer::lookup(
  const std::string & target, const std::string & source, std::int64_t time_ns) const
{
  if (target == source) {
    const Frame * found = frame(target);
    const std::int64_t latest_ns = found == nullptr ? 0 : found->latest_ns();
    Transform same;
    same.time_ns = time_ns == 0 ? latest_ns : time_ns;
    return same;
  }
  for (const std::string & name : {target, source}) {
    if (name.empty() || name.front() == '/') {
      throw TransformError(
        "'" + name + "' is no name of a frame; give one that does not begin with /");
    }
    if (known_.count(name) == 0) {
      throw TransformError("frame '" + name + "' is not known");
    }
  }
  if (time_ns == 0) {
    time_ns = latest_common_ns(target, source);
  }
  const Way found = way(target, source, time_ns);
  return {found.translation, by_matrix(found.rotation), time_ns};
}

const TransformBuffer::Frame * TransformBuffer::frame(const std::string & name) const
{
  const auto entry = frames_.find(name);
  return entry == frames_.end() ? nullptr : &entry->second;
}

TransformBuffer::Way TransformBuffer::way(
  const std::string & target, const std::string & source, std::int64_t time_ns) const
{
  Way up;
  std::string objection;
  std::string top = source;
  std::string name = source;
  for (int depth = 0;; ++depth) {
    if (depth > MOST_FRAMES) {
      throw circle(target, source);
    }
    top = name;
    const Frame * found = frame(name);
    if (found == nullptr) {
      break;
    }
    try {
      const Stored step = found->at(time_ns);
      if (name == target) {
        return up;
      }
      up.go_up(step);
      name = step.parent;
    } catch (const TooFar & known) {
      objection = unknown(target, source, time_ns, name, known);
      break;
    }
  }
  Way down;
  name = target;
  for (int depth = 0; name != top; ++depth) {
    if (depth > MOST_FRAMES) {
      throw circle(target, source);
    }
    const Frame * found = frame(name);
    if (found == nullptr) {
      break;
    }
    try {
      const Stored step = found->at(time_ns);
      if (name == source) {
        return down.back();
      }
      down.go_up(step);
      name = step.parent;
    } catch (const TooFar & known) {
      throw TransformError(unknown(target, source, time_ns, name, known));
    }
  }
  if (name != top) {
    throw TransformError(objection.empty() ? apart(target, source) : objection);
  }
  const Way back = down.back();
  return {
    product(back.rotation, up.rotation),
    sum(rotated(back.rotation, up.translation), back.translation)};
}

std::int64_t TransformBuffer::latest_common_ns(
  const std::string & target, const std::string & source) const
{
  std::vector<std::pair<std::int64_t, std::string>> ups;
  std::string name = source;
  std::int64_t common_ns = NEVER_NS;
  for (int depth = 0;; ++depth) {
    if (depth > MOST_FRAMES) {
      throw circle(target, source);
    }
    const Frame * found = frame(name);
    if (found == nullptr) {
      break;
    }
    common_ns = std::min(common_ns, or_never(found->latest_ns()));
    name = found->stored.back().parent;
    ups.emplace_back(found->latest_ns(), name);
    if (name == target) {
      return or_static(common_ns);
    }
  }
  name = target;
  common_ns = NEVER_NS;
  for (int depth = 0;; ++depth) {
    if (depth > MOST_FRAMES) {
      throw circle(target, source);
    }
    const Frame * found = frame(name);
    if (found == nullptr) {
      throw TransformError(apart(target, source));
    }
    common_ns = std::min(common_ns, or_never(found->latest_ns()));
    name = found->stored.back().parent;
    if (std::any_of(ups.begin(), ups.end(), [&name](const auto & up) {
          return up.second == name;
        })) {
      break;
    }
    if (name == source) {
      return or_static(common_ns);
    }
  }
  for (const auto & [latest_ns, parent] : ups) {
    common_ns = std::min(common_ns, or_never(latest_ns));
    if (parent == name) {
      break;
    }
  }
  return or_static(common_ns);
}

}  // namespace lockstep
