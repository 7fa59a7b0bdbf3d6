#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "lockstep/schedule.hpp"

namespace
{

using Fired = std::vector<std::pair<std::size_t, std::int64_t>>;  // timer, time

Fired advance(lockstep::Schedule & schedule, std::int64_t now_ns)
{
  Fired fired;
  schedule.advance(
    now_ns, [&](std::size_t timer) { fired.emplace_back(timer, schedule.now_ns()); });
  return fired;
}

}  // namespace

TEST(Schedule, first_time_starts_the_timers_and_fires_none)
{
  lockstep::Schedule schedule({10});
  EXPECT_EQ(advance(schedule, 100), Fired{});
  EXPECT_EQ(schedule.next_due_ns(), 110);
  EXPECT_EQ(advance(schedule, 109), Fired{});
  EXPECT_EQ(advance(schedule, 110), (Fired{{0, 110}}));
}

TEST(Schedule, no_due_time_is_skipped_or_merged_when_time_leaps)
{
  lockstep::Schedule schedule({10});
  advance(schedule, 100);
  EXPECT_EQ(advance(schedule, 135), (Fired{{0, 110}, {0, 120}, {0, 130}}));
  EXPECT_EQ(schedule.now_ns(), 135);
  EXPECT_EQ(schedule.next_due_ns(), 140);
}

TEST(Schedule, timers_fire_by_due_time_and_then_by_declaration)
{
  lockstep::Schedule schedule({20, 10, 20});
  advance(schedule, 100);
  EXPECT_EQ(advance(schedule, 120), (Fired{{1, 110}, {0, 120}, {1, 120}, {2, 120}}));
}

TEST(Schedule, time_zero_means_that_no_time_is_known)
{
  lockstep::Schedule schedule({10});
  EXPECT_EQ(advance(schedule, 0), Fired{});
  EXPECT_EQ(schedule.next_due_ns(), std::nullopt);
  advance(schedule, 100);
  EXPECT_EQ(advance(schedule, 0), Fired{});
  EXPECT_EQ(schedule.now_ns(), 100);
  EXPECT_EQ(advance(schedule, 110), (Fired{{0, 110}}));
}

TEST(Schedule, timers_start_again_when_time_steps_back)
{
  lockstep::Schedule schedule({10});
  advance(schedule, 100);
  EXPECT_EQ(advance(schedule, 50), Fired{});
  EXPECT_EQ(advance(schedule, 59), Fired{});
  EXPECT_EQ(advance(schedule, 60), (Fired{{0, 60}}));
}

TEST(Schedule, timers_start_again_after_restart)
{
  lockstep::Schedule schedule({10});
  advance(schedule, 100);
  schedule.restart();
  EXPECT_EQ(schedule.now_ns(), 0);
  EXPECT_EQ(advance(schedule, 1'000'000), Fired{});
  EXPECT_EQ(schedule.next_due_ns(), 1'000'010);
}

TEST(Schedule, without_timers_only_time_advances)
{
  lockstep::Schedule schedule({});
  advance(schedule, 100);
  advance(schedule, 200);
  EXPECT_EQ(schedule.now_ns(), 200);
  EXPECT_EQ(schedule.next_due_ns(), std::nullopt);
}
