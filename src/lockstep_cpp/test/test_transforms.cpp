#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "lockstep/transforms.hpp"

using lockstep::Rotation;
using lockstep::Transform;
using lockstep::TransformBuffer;
using lockstep::TransformError;
using lockstep::Translation;

namespace
{

// The same as in lockstep's test_transforms.py; the values are those of tf2's BufferCore.

constexpr std::int64_t S = 1'000'000'000;
constexpr Rotation IDENTITY{0.0, 0.0, 0.0, 1.0};

TransformBuffer filled()
{
  TransformBuffer buffer;
  buffer.add("map", "odom", 1 * S, {1.0, 2.0, 0.0}, {0.0, 0.0, 0.6, 0.8}, false);
  buffer.add("map", "odom", 3 * S, {1.5, 2.5, 0.1}, {0.0, 0.0, -0.28, 0.96}, false);
  buffer.add("odom", "base", 1 * S, {0.0, 0.0, 0.0}, IDENTITY, false);
  buffer.add("odom", "base", 2 * S, {0.5, -0.25, 0.0}, {0.36, 0.48, 0.0, -0.8}, false);
  buffer.add("/base", "laser", 0, {0.2, 0.0, 0.35}, {0.48, -0.6, 0.64, 0.0}, true);
  return buffer;
}

std::string refused(
  const TransformBuffer & buffer, const std::string & target, const std::string & source,
  std::int64_t time_ns)
{
  try {
    buffer.lookup(target, source, time_ns);
    return "";
  } catch (const TransformError & error) {
    return error.what();
  }
}

}  // namespace

TEST(TransformBuffer, looks_up_what_tf2_does_to_the_last_bit)
{
  const TransformBuffer buffer = filled();
  Transform found = buffer.lookup("map", "laser", 1'250'000'000);
  EXPECT_EQ(
    found.translation,
    (Translation{0x1.2b0ce6f6c3cf0p+0, 0x1.2228522730578p+1, 0x1.949e6d0858b9dp-2}));
  EXPECT_EQ(
    found.rotation,
    (Rotation{
      0x1.3620a54a241a1p-1, -0x1.0b9958ba66fbdp-2, 0x1.4442b4cc83cebp-1, -0x1.9e54ebddda89dp-2}));
  found = buffer.lookup("laser", "map", 1'250'000'000);
  EXPECT_EQ(
    found.translation,
    (Translation{0x1.969ba822c7837p+0, 0x1.4f82cddd4254cp+0, -0x1.8e28e90a57aedp+0}));
  EXPECT_EQ(
    found.rotation,
    (Rotation{
      0x1.3620a54a241a1p-1, -0x1.0b9958ba66fbdp-2, 0x1.4442b4cc83cebp-1, 0x1.9e54ebddda89dp-2}));
  found = buffer.lookup("odom", "laser");
  EXPECT_EQ(found.time_ns, 2 * S);
  EXPECT_EQ(
    found.translation,
    (Translation{0x1.5b2d4d4024b34p-2, 0x1.5379fa97e1320p-6, 0x1.01a36e2eb1c44p-2}));
  EXPECT_EQ(
    found.rotation,
    (Rotation{
      0x1.3a92a30553263p-4, -0x1.ff2e48e8a71dep-3, 0x1.eab367a0f9098p-1, -0x1.d7dbf487fcb91p-4}));
}

TEST(TransformBuffer, refuses_what_is_not_known)
{
  TransformBuffer buffer = filled();
  buffer.add("sea", "island", S, {0.0, 0.0, 0.0}, IDENTITY, false);
  EXPECT_EQ(
    refused(buffer, "map", "laser", 2 * S + 1),
    "no transform from 'laser' to 'map' at 2.000000001 s: that of 'base' is known until "
    "2.000000000 s");
  EXPECT_EQ(
    refused(buffer, "map", "base", S - 1),
    "no transform from 'base' to 'map' at 0.999999999 s: that of 'base' is known from "
    "1.000000000 s on");
  EXPECT_EQ(
    refused(buffer, "sea", "island", S + 1),
    "no transform from 'island' to 'sea' at 1.000000001 s: that of 'island' is known at "
    "1.000000000 s alone");
  EXPECT_EQ(refused(buffer, "map", "nowhere", S), "frame 'nowhere' is not known");
  EXPECT_EQ(
    refused(buffer, "/map", "base", S),
    "'/map' is no name of a frame; give one that does not begin with /");
  EXPECT_EQ(refused(buffer, "map", "island", 0), "no transforms connect 'island' and 'map'");
}

TEST(TransformBuffer, keeps_ten_seconds)
{
  TransformBuffer buffer = filled();
  for (const std::int64_t second : {13, 14}) {
    EXPECT_EQ(refused(buffer, "map", "odom", 1 * S), "");
    buffer.add("map", "odom", second * S, {0.0, 0.0, 0.0}, IDENTITY, false);
  }
  EXPECT_NE(
    refused(buffer, "map", "odom", 1 * S).find("known from 3.000000000 s on"), std::string::npos);
}

TEST(TransformBuffer, refuses_a_circle)
{
  TransformBuffer buffer;
  buffer.add("a", "b", S, {0.0, 0.0, 0.0}, IDENTITY, false);
  buffer.add("b", "c", S, {0.0, 0.0, 0.0}, IDENTITY, false);
  buffer.add("c", "a", S, {0.0, 0.0, 0.0}, IDENTITY, false);
  buffer.add("d", "e", S, {0.0, 0.0, 0.0}, IDENTITY, false);
  EXPECT_EQ(refused(buffer, "e", "a", S), "the transforms from 'a' to 'e' go round in a circle");
}

TEST(TransformBuffer, passes_over_what_is_no_transform)
{
  constexpr double NaN = std::numeric_limits<double>::quiet_NaN();
  TransformBuffer buffer;
  EXPECT_FALSE(buffer.add("b", "b", S, {0.0, 0.0, 0.0}, IDENTITY, false));
  EXPECT_FALSE(buffer.add("", "b", S, {0.0, 0.0, 0.0}, IDENTITY, false));
  EXPECT_FALSE(buffer.add("a", "b", S, {0.0, NaN, 0.0}, IDENTITY, false));
  EXPECT_FALSE(buffer.add("a", "b", S, {0.0, 0.0, 0.0}, {0.0, 0.0, 0.0, 0.0}, false));
  EXPECT_FALSE(buffer.add("a", "b", S, {0.0, 0.0, 0.0}, {0.0, NaN, 0.0, 1.0}, false));
}
