/// One thread runs at a time, in an order that is always the same.

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "harness.hpp"
#include "process/randomness.hpp"

using namespace rmw_lockstep;
using lockstep::FrameKind;

namespace
{

class SchedulerTest : public ConnectedRun
{
protected:
  /// A thread under control, which ends when its function does.
  template <typename Function>
  void start(Function function)
  {
    Thread * thread = nullptr;
    {
      const Held held(run.scheduler.lock);
      thread = &run.scheduler.add_thread();
    }
    handles_.emplace_back([this, thread, function] {
      {
        Held held(run.scheduler.lock);
        run.scheduler.begin_thread(held, *thread);
      }
      function();
      Held held(run.scheduler.lock);
      run.scheduler.end_thread(held);
    });
  }

  /// Let all threads come to their end.
  void join()
  {
    harness.step(FrameKind::advance, START_NS + 10 * S);
    sleep_until(START_NS + 10 * S);
    for (std::thread & handle : handles_) {
      handle.join();
    }
  }

  void yield()
  {
    Held held(run.scheduler.lock);
    run.scheduler.yield(held);
  }

  void wait_for(const void * address)
  {
    Held held(run.scheduler.lock);
    Wait wait;
    wait.what = WaitsFor::lock;
    wait.address = address;
    run.scheduler.wait(held, wait);
  }

  std::size_t wake(const void * address, std::size_t most)
  {
    const Held held(run.scheduler.lock);
    return run.scheduler.wake_waiting(WaitsFor::lock, address, most);
  }

  std::string log;  ///< which nothing guards: no two threads run at once

private:
  std::vector<std::thread> handles_;
};

}  // namespace

TEST_F(SchedulerTest, threads_run_in_turn_until_they_wait)
{
  for (const char name : {'a', 'b', 'c'}) {
    start([this, name] {
      for (int i = 0; i < 3; ++i) {
        log += name;
        yield();
      }
    });
  }
  log += '-';
  join();
  EXPECT_EQ(log, "-abcabcabc");
}

TEST_F(SchedulerTest, who_sleeps_wakes_at_its_deadline_and_no_other_time)
{
  for (const int after_ms : {30, 10, 20}) {
    start([this, after_ms] {
      EXPECT_EQ(sleep_until(START_NS + after_ms * MS), Woken::by_deadline);
      EXPECT_EQ(now_ns(), after_ms * MS);
      log += std::to_string(after_ms) + " ";
    });
  }
  join();
  EXPECT_EQ(log, "10 20 30 ");
  EXPECT_EQ(now_ns(), 10 * S);
}

TEST_F(SchedulerTest, of_equal_deadlines_comes_first_who_began_to_wait_first)
{
  for (const char name : {'a', 'b', 'c', 'd'}) {
    start([this, name] {
      sleep_until(START_NS + 5 * MS);
      log += name;
    });
  }
  join();
  EXPECT_EQ(log, "abcd");
}

TEST_F(SchedulerTest, who_waits_for_an_address_is_woken_in_turn)
{
  const int first = 0;
  const int other = 0;
  for (const char name : {'a', 'b', 'c'}) {
    start([this, name, &first] {
      wait_for(&first);
      log += name;
    });
  }
  start([this, &first, &other] {
    EXPECT_EQ(wake(&other, SIZE_MAX), 0U);
    EXPECT_EQ(wake(&first, 1), 1U);
    yield();
    log += '-';
    EXPECT_EQ(wake(&first, SIZE_MAX), 2U);
  });
  join();
  EXPECT_EQ(log, "a-bc");
}

TEST_F(SchedulerTest, the_same_threads_make_the_same_turns)
{
  std::vector<std::string> logs;
  for (int repeated = 0; repeated < 2; ++repeated) {
    log.clear();
    for (int number = 0; number < 8; ++number) {
      start([this, number] {
        for (int i = 0; i < 20; ++i) {
          log += static_cast<char>('a' + number);
          sleep_until(run.clock.now_ns() + (7 * number + 3 * i) % 5 * MS);
        }
      });
    }
    harness.step(FrameKind::advance, run.clock.now_ns() + S);
    sleep_until(run.clock.now_ns() + S);
    logs.push_back(log);
  }
  EXPECT_EQ(logs[0].size(), 160U);
  EXPECT_EQ(logs[0], logs[1]);
  join();
}

TEST_F(SchedulerTest, a_thread_that_is_passed_over_waits_for_its_turn_when_it_comes_back)
{
  start([this] {
    log += 'a';
    sleep_until(START_NS + 5 * MS);
    log += 'c';
  });
  std::thread watcher;
  {
    Held held(run.scheduler.lock);
    watcher = std::thread([this] {
      Held held_too(run.scheduler.lock);
      run.scheduler.pass_over_running(held_too);  // as if this thread waited in the kernel
    });
  }
  watcher.join();
  {
    Held held(run.scheduler.lock);
    EXPECT_NE(run.scheduler.running(), &run.scheduler.this_thread());
    run.scheduler.take_turn(held);
    EXPECT_EQ(run.scheduler.running(), &run.scheduler.this_thread());
  }
  log += 'b';
  join();
  EXPECT_EQ(log, "abc");
}

TEST(Clock, readings_differ_and_start_before_the_run)
{
  Clock clock(START_NS);
  EXPECT_EQ(clock.read(1), START_NS - Clock::START_UP_NS + Clock::TICK_NS);
  clock.has_started();
  clock.step_to(START_NS + S);
  EXPECT_EQ(clock.read(1), START_NS + S);
  EXPECT_EQ(clock.read(2), START_NS + S + Clock::TICK_NS);
  clock.take_back_reading(1);  // which was not the last
  EXPECT_EQ(clock.read(1), START_NS + S + 2 * Clock::TICK_NS);
  clock.take_back_reading(1);
  EXPECT_EQ(clock.read(1), START_NS + S + 2 * Clock::TICK_NS);
  EXPECT_EQ(clock.now_ns(), START_NS + S);
  clock.step_to(START_NS);
  EXPECT_EQ(clock.now_ns(), START_NS + S);
}

TEST(Clock, a_deadline_is_as_long_after_now_as_after_the_reading_it_comes_of)
{
  Clock clock(START_NS);
  clock.has_started();
  clock.step_to(START_NS + S);
  clock.read(1);
  const std::int64_t read_ns = clock.read(1);
  EXPECT_EQ(clock.deadline(read_ns + 5 * MS, 1), START_NS + S + 5 * MS);
  EXPECT_EQ(clock.deadline(START_NS + 7 * S, 2), START_NS + 7 * S);
  EXPECT_EQ(clock.deadline(FOREVER, 1), FOREVER);
}

TEST(Clock, who_reads_for_ever_lets_time_pass)
{
  Clock clock(START_NS);
  clock.has_started();
  clock.step_to(START_NS + S);
  int readings = 0;
  do {
    clock.read(1);
    ++readings;
  } while (!clock.has_passed_by_reading());
  EXPECT_EQ(readings, Clock::MAX_LEAD_NS / Clock::TICK_NS + 2);
  EXPECT_EQ(clock.now_ns(), START_NS + S + Clock::MAX_LEAD_NS + Clock::TICK_NS);
}

TEST(Clock, steady_and_system_time_are_one_time)
{
  const Clock clock(START_NS);
  EXPECT_EQ(clock.steady(START_NS), Clock::STEADY_START_NS);
  EXPECT_EQ(clock.system(clock.steady(START_NS + 3)), START_NS + 3);
}

TEST(Randomness, is_that_of_one_seed_and_differs_from_process_to_process)
{
  std::uint64_t first[2];
  fill_randomly(first, sizeof first);
  EXPECT_EQ(first[0], 0xE220A8397B1DCDAFU);  // SplitMix64 of 0
  EXPECT_EQ(first[1], 0x6E789E6AA1B965F4U);
  std::uint64_t next = 0;
  vary_randomness(0);
  fill_randomly(&next, sizeof next);
  EXPECT_EQ(next, 0x06C45D188009454FU);
  vary_randomness(1);
  fill_randomly(&next, sizeof next);
  EXPECT_NE(next, 0xF88BB8A8724C81ECU);
}
