/// What a node gets of the frames of a harness, when, and what the harness is told.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <csignal>
#include <string>
#include <vector>

#include "harness.hpp"
#include "process/delivery.hpp"
#include "process/harness.hpp"
#include "process/passing_time.hpp"

using namespace rmw_lockstep;
using lockstep::FrameKind;
using testing::ExitedWithCode;

namespace
{

constexpr std::int64_t FIRST_NS = START_NS + 10 * MS;

class RunTest : public ConnectedRun
{
protected:
  Entity & subscribe(const std::string & topic, std::size_t depth = 10)
  {
    made_.emplace_back();
    Entity & entity = made_.back();
    entity.kind = EntityKind::subscription;
    entity.name = topic;
    entity.type = "std_msgs/msg/String";
    entity.qos.depth = depth;
    run.entities.add(entity);
    return entity;
  }

  /// Wait for entities; the one that is offered, or null when the deadline has come.
  Entity * wait_for(const std::vector<Entity *> & entities, std::int64_t deadline_ns = FOREVER)
  {
    const std::vector<GuardCondition *> guards;
    EntityWait given{&entities, &guards};
    Held held(run.scheduler.lock);
    Wait wait;
    wait.what = WaitsFor::entities;
    wait.entities = &given;
    wait.deadline_ns = deadline_ns;
    run.scheduler.wait(held, wait);
    return given.chosen;
  }

  std::string take(Entity & entity)
  {
    Message message;
    run.entities.take(entity, message);
    return {message.payload->begin(), message.payload->end()};
  }

  /// All that the harness has been told, and the last DONE.
  std::vector<Frame> told()
  {
    say_done(run);
    flush(run);
    return harness.received();
  }

  /// Wait for an event that lies behind all that was sent.
  void consume()
  {
    harness.step(FrameKind::advance, FIRST_NS + S);
    sleep_until(FIRST_NS + S);
  }

  std::deque<Entity> made_;
};

std::int64_t deadline_of(const Frame & frame)
{
  std::int64_t deadline_ns = 0;
  std::memcpy(&deadline_ns, frame.payload.data(), sizeof deadline_ns);
  return deadline_ns;
}

std::string peer(
  const std::string & kind, const std::string & topic, const std::string & durability = "volatile")
{
  std::string text;
  for (const std::string & word :
       {kind, std::string("2"), std::string("7"), topic, std::string("std_msgs/msg/String"),
        std::string("/other"), std::string(), std::string("10"), std::string("reliable"),
        durability}) {
    text += word + std::string(1, '\0');
  }
  text.pop_back();
  return text;
}

}  // namespace

TEST_F(RunTest, an_input_goes_to_who_subscribes_to_its_topic_at_its_time)
{
  Entity & entity = subscribe("/a");
  Entity & other = subscribe("/b");
  harness.announce(0, "/a");
  harness.step(FrameKind::input, FIRST_NS, 0, "one");
  harness.step(FrameKind::input, FIRST_NS + MS, 0, "two");
  EXPECT_EQ(wait_for({&other, &entity}), &entity);
  EXPECT_EQ(now_ns(), 10 * MS);
  EXPECT_EQ(take(entity), "one");
  EXPECT_EQ(wait_for({&entity}), &entity);
  EXPECT_EQ(now_ns(), 11 * MS);
  EXPECT_EQ(take(entity), "two");
}

TEST_F(RunTest, a_deadline_comes_before_an_input_of_the_same_time)
{
  Entity & entity = subscribe("/a");
  harness.announce(0, "/a");
  harness.step(FrameKind::input, FIRST_NS, 0, "one");
  EXPECT_EQ(wait_for({&entity}, FIRST_NS), nullptr);
  EXPECT_EQ(now_ns(), 10 * MS);
  EXPECT_EQ(wait_for({&entity}, FIRST_NS + MS), &entity);
  EXPECT_EQ(now_ns(), 10 * MS);
}

TEST_F(RunTest, time_does_not_step_back)
{
  harness.step(FrameKind::advance, FIRST_NS);
  harness.step(FrameKind::advance, START_NS);
  consume();
  EXPECT_EQ(run.consumed, 2U);
  EXPECT_EQ(now_ns(), 1010 * MS);
}

TEST_F(RunTest, what_nobody_hears_or_has_room_for_is_told_at_the_end)
{
  Entity & entity = subscribe("/a", 1);
  harness.announce(0, "/a");
  harness.announce(1, "/b");
  for (int i = 0; i < 3; ++i) {
    harness.step(FrameKind::input, FIRST_NS, 0, "x");
  }
  harness.step(FrameKind::input, FIRST_NS, 1, "x");
  consume();
  EXPECT_EQ(take(entity), "x");
  end_by_itself(7);
  std::vector<Frame> frames = harness.received();
  while (frames.front().header.kind == FrameKind::done) {
    frames.erase(frames.begin());
  }
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[0].payload, R"({"note": "dropped", "topic": "/a", "count": 2})");
  EXPECT_EQ(frames[1].payload, R"({"note": "unread", "topic": "/b", "count": 1})");
  EXPECT_EQ(frames[2].header.kind, FrameKind::finished);
  EXPECT_EQ(frames[2].header.port, lockstep::BY_ITSELF);
  EXPECT_EQ(frames[2].payload, std::string("\7\0\0\0", 4));
}

TEST_F(RunTest, the_clock_is_told_once_for_each_time_and_before_what_comes_then)
{
  Entity & clock = subscribe("/clock");
  Entity & entity = subscribe("/a");
  harness.announce(0, "/a");
  harness.step(FrameKind::input, START_NS + S + 5, 0, "one");
  harness.step(FrameKind::input, START_NS + S + 5, 0, "two");
  EXPECT_EQ(wait_for({&entity, &clock}), &clock);
  EXPECT_EQ(take(clock), std::string("\0\1\0\0\x01\xf1\x53\x65\5\0\0\0", 12));
  EXPECT_EQ(wait_for({&entity, &clock}), &entity);
  EXPECT_EQ(take(entity), "one");
  EXPECT_EQ(wait_for({&entity, &clock}), &entity);
  EXPECT_TRUE(clock.queue.empty());
}

TEST_F(RunTest, a_step_to_a_deadline_does_not_tick)
{
  Entity & clock = subscribe("/clock");
  harness.step(FrameKind::advance, FIRST_NS, lockstep::TO_DEADLINE);
  harness.step(FrameKind::advance, FIRST_NS + MS);
  EXPECT_EQ(wait_for({&clock}), &clock);
  EXPECT_EQ(now_ns(), 11 * MS);
  EXPECT_EQ(clock.queue.size(), 1U);
}

TEST_F(RunTest, done_tells_when_the_process_would_do_something_by_itself)
{
  Entity & entity = subscribe("/a");
  harness.announce(0, "/a");
  harness.step(FrameKind::input, FIRST_NS, 0, "one");
  EXPECT_EQ(wait_for({&entity}, FIRST_NS + S), &entity);
  take(entity);
  Frame done = told().back();
  EXPECT_EQ(done.header.kind, FrameKind::done);
  EXPECT_EQ(done.header.step, 1U);
  EXPECT_EQ(deadline_of(done), FOREVER);
  harness.step(FrameKind::input, FIRST_NS, 0, "two");
  EXPECT_EQ(wait_for({&entity}), &entity);
  run.timers.add(99, CLOCK_MONOTONIC);
  run.timers.find(99)->deadline_ns = FIRST_NS + S;
  done = told().back();
  EXPECT_EQ(done.header.step, 2U);
  EXPECT_EQ(deadline_of(done), FIRST_NS + S);
}

TEST_F(RunTest, a_timer_with_a_descriptor_counts_its_firings)
{
  const int descriptor = eventfd(0, EFD_CLOEXEC);
  run.timers.add(descriptor, CLOCK_MONOTONIC);
  *run.timers.find(descriptor) = {CLOCK_MONOTONIC, START_NS + 3 * MS, 2 * MS};
  EXPECT_EQ(next_deadline_ns(run), START_NS + 3 * MS);
  pollfd asked{descriptor, POLLIN, 0};
  harness.step(FrameKind::advance, FIRST_NS);
  {
    Held held(run.scheduler.lock);
    Wait wait;
    wait.what = WaitsFor::descriptors;
    wait.descriptors = &asked;
    wait.descriptor_count = 1;
    EXPECT_EQ(run.scheduler.wait(held, wait), Woken::by_event);
  }
  EXPECT_EQ(now_ns(), 3 * MS);
  sleep_until(START_NS + 8 * MS);  // at 5 and 7 it fires again
  std::uint64_t times = 0;
  EXPECT_EQ(read(descriptor, &times, sizeof times), 8);
  EXPECT_EQ(times, 3U);
  EXPECT_EQ(next_deadline_ns(run), START_NS + 9 * MS);
  run.timers.fire(START_NS + 14 * MS);  // late, for 9, 11 and 13
  EXPECT_EQ(read(descriptor, &times, sizeof times), 8);
  EXPECT_EQ(times, 3U);
  EXPECT_EQ(next_deadline_ns(run), START_NS + 15 * MS);
  run.timers.remove(descriptor);
  EXPECT_EQ(next_deadline_ns(run), FOREVER);
  close(descriptor);
}

TEST_F(RunTest, who_subscribes_late_may_find_what_is_latched)
{
  harness.announce(0, "/map", 2);
  for (const char * map : {"one", "two", "three"}) {
    harness.step(FrameKind::input, FIRST_NS, 0, map);
  }
  consume();
  ASSERT_EQ(run.inputs[0].latched.size(), 2U);
  EXPECT_EQ(run.inputs[0].latched[0].payload->at(1), 'w');
  EXPECT_EQ(run.inputs[0].unread, 3U);
}

TEST_F(RunTest, messages_of_another_process_come_of_its_publisher)
{
  Entity & entity = subscribe("/a");
  Entity & other = subscribe("/a");
  other.type = "std_msgs/msg/Int32";
  harness.send({FrameKind::peer, 4}, peer("publisher", "/a", "transient_local"));
  harness.step(FrameKind::message, FIRST_NS, 4, "hi");
  EXPECT_EQ(wait_for({&entity, &other}), &entity);
  EXPECT_EQ(entity.queue.front().gid, gid_of(run.peers.at(4)));
  EXPECT_EQ(take(entity), "hi");
  EXPECT_TRUE(other.queue.empty());
  EXPECT_EQ(run.peers.at(4).process, 2);
  EXPECT_EQ(run.peers.at(4).id, 7);
  EXPECT_EQ(run.peers.at(4).node, "/other");
  EXPECT_TRUE(run.peers.at(4).is_latched());
  harness.step(FrameKind::latched, FIRST_NS, entity.id, std::string("\4\0old", 5));
  EXPECT_EQ(wait_for({&entity}), &entity);
  EXPECT_EQ(take(entity), "old");
  harness.send({FrameKind::peer_gone, 4});
  consume();
  EXPECT_TRUE(run.peers.empty());
}

TEST_F(RunTest, requests_and_answers_find_their_entities_by_number)
{
  Entity service = subscribe("/ask");
  run.entities.remove(made_.front());
  service.kind = EntityKind::service;
  Entity client = service;
  client.kind = EntityKind::client;
  run.entities.add(service);
  run.entities.add(client);
  std::string head = "0123456789abcdef" + std::string("\5\0\0\0\0\0\0\0", 8);
  harness.step(FrameKind::request, FIRST_NS, service.id, head + "why");
  EXPECT_EQ(wait_for({&service, &client}), &service);
  EXPECT_EQ(service.queue.front().sequence, 5);
  EXPECT_EQ(service.queue.front().gid[15], 'f');
  EXPECT_EQ(take(service), "why");
  harness.step(FrameKind::answer, FIRST_NS, client.id, head + "so");
  EXPECT_EQ(wait_for({&service, &client}), &client);
  EXPECT_EQ(take(client), "so");
  harness.step(FrameKind::answer, FIRST_NS, 99, head + "for somebody who is gone");
  consume();
}

TEST_F(RunTest, what_is_not_under_control_is_told_once)
{
  tell_uncontrolled("a \"device\"");
  tell_uncontrolled("a \"device\"");
  const std::vector<Frame> frames = told();
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].payload, R"({"note": "uncontrolled", "what": "a ?device?"})");
  EXPECT_EQ(frames[1].header.kind, FrameKind::done);
}

TEST_F(RunTest, a_message_takes_the_time_that_it_costs)
{
  run.cost_ns = 3 * MS;
  harness.step(FrameKind::advance, FIRST_NS);
  {
    Held held(run.scheduler.lock);
    spend_cost(held);
  }
  EXPECT_EQ(now_ns(), 3 * MS);
}

TEST_F(RunTest, at_the_end_the_node_is_interrupted_and_time_is_real)
{
  static int interrupted = 0;
  std::signal(SIGINT, [](int) { ++interrupted; });
  harness.send({FrameKind::end});
  const std::int64_t begin_ns = real_now_ns();
  sleep_until(START_NS + 20 * MS);
  std::signal(SIGINT, SIG_DFL);
  EXPECT_EQ(interrupted, 1);
  EXPECT_GE(real_now_ns() - begin_ns, 19 * MS);
  const std::vector<Frame> frames = harness.received();
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].header.kind, FrameKind::done);
  EXPECT_EQ(frames[1].header.kind, FrameKind::finished);
  EXPECT_EQ(frames[1].header.port, 0);
}

TEST_F(RunTest, a_message_larger_than_a_frame_is_refused)
{
  EXPECT_EXIT(
    send(FrameKind::output, 0, nullptr, 500000000), ExitedWithCode(3),
    "a message of 500000000 bytes is larger than the 256 MiB of a frame");
}

using RunDeathTest = RunTest;

TEST_F(RunDeathTest, a_step_that_is_not_the_next_one_ends_the_process)
{
  harness.send({FrameKind::input, 0, 5, FIRST_NS});
  EXPECT_EXIT(
    sleep_until(START_NS + S), ExitedWithCode(3), "step 0 should have come, but step 5 came");
}

TEST_F(RunDeathTest, an_input_that_was_not_announced_ends_the_process)
{
  harness.step(FrameKind::input, FIRST_NS, 3, "x");
  EXPECT_EXIT(
    sleep_until(START_NS + S), ExitedWithCode(3), "came for input 3, which was not announced");
}

TEST_F(RunDeathTest, a_message_of_nobody_ends_the_process)
{
  harness.step(FrameKind::message, FIRST_NS, 3, "x");
  EXPECT_EXIT(
    sleep_until(START_NS + S), ExitedWithCode(3), "came of peer 3, which was not announced");
}

TEST_F(RunDeathTest, a_request_without_a_service_ends_the_process)
{
  harness.step(FrameKind::request, FIRST_NS, 3, std::string(24, 'x'));
  EXPECT_EXIT(
    sleep_until(START_NS + S), ExitedWithCode(3), "came for entity 3, which is no service");
}

TEST_F(RunDeathTest, requests_and_latched_messages_that_are_too_short_end_the_process)
{
  Entity & entity = subscribe("/a");
  harness.step(FrameKind::answer, FIRST_NS, entity.id, "x");
  EXPECT_EXIT(sleep_until(START_NS + S), ExitedWithCode(3), "response came without a client");
}

TEST_F(RunDeathTest, a_latched_message_without_its_publisher_ends_the_process)
{
  harness.step(FrameKind::latched, FIRST_NS, 1, "x");
  EXPECT_EXIT(sleep_until(START_NS + S), ExitedWithCode(3), "came without its publisher");
}

TEST_F(RunDeathTest, a_frame_of_another_kind_ends_the_process)
{
  harness.send({FrameKind::contract});
  EXPECT_EXIT(
    sleep_until(START_NS + S), ExitedWithCode(3), "kind 129 came, which no harness sends");
}
