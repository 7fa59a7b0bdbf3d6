#ifndef PROCESS__RUN_HPP_
#define PROCESS__RUN_HPP_

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "clock.hpp"
#include "entities.hpp"
#include "link.hpp"
#include "scheduler.hpp"

namespace rmw_lockstep
{

/// How long a busy wait takes before it looks again.
inline constexpr std::int64_t BUSY_NS = 1000000;

/// What is told of a node that is more than one process.
inline constexpr const char * WAITS_FOR_CHILDREN =
  "the node starts other processes and waits for them";

/// A topic that the harness publishes.
struct InputTopic
{
  std::string name;
  std::string type;
  std::size_t latched_depth = 0;
  std::deque<Message> latched;
  std::uint64_t unread = 0;  ///< messages that came while nobody subscribed
};

/// All that this library knows in this process, guarded by scheduler.lock.
struct Run
{
  explicit Run(std::int64_t start_ns) : clock(start_ns) {}

  Scheduler scheduler;
  Clock clock;
  Link link;
  Entities entities;
  std::vector<InputTopic> inputs;
  std::map<std::uint16_t, Endpoint> peers;  ///< of other processes, by the harness's numbers
  std::int64_t cost_ns = 0;                 ///< how long each message takes that a node takes

  std::uint64_t step = 0;      ///< the step that goes on
  std::uint64_t consumed = 0;  ///< steps that are over
  std::uint64_t said = UINT64_MAX;
  std::int64_t flushed_ns = 0;  ///< in real time

  std::int64_t told_clock_ns = 0;  ///< what was last published on /clock
  bool has_ended = false;          ///< after which time is real again
  std::int64_t end_ns = 0;
  std::int64_t real_end_ns = 0;

  std::uint32_t polls_in_vain = 0;  ///< in a row, at one time
  std::int64_t polled_ns = -1;
  bool has_waited_for_children = false;  ///< in vain, and does so no more
  int stop_looking = -1;                 ///< an eventfd
  int main_thread = 0;
  std::set<std::string> told;
};

/// Whether this process is under the control of the library: it was told of a harness, and is a
/// node. Of others, such as a shell that starts a node, nothing is changed.
bool is_on();

/// The run of this process, which must be on.
Run & run();

/// Be under control from now on if this process has a harness; ends the process if it has none.
void ensure_on();

/// The kernel's steady clock, in ns.
std::int64_t real_now_ns();

/// Look for what happens next until a thread is ready to run, in place of `looking`, which may be
/// null: a message to offer, a deadline, a frame of the harness.
void next_event(Held & held, Thread * looking);

/// Interrupt whoever waits for a frame in `next_event`.
void stop_looking();

/// Connect to the harness, if that has not been done.
void ensure_connected();

/// A message of a publisher, of this process or another, to the subscriptions of this process.
void distribute(Held & held, const Endpoint & publisher, const Message & message);
/// A message for one entity.
void deliver(Held & held, Entity & entity, const Message & message);

/// Send a frame to the harness; nothing after the end.
void send(lockstep::FrameKind kind, std::uint16_t port, const void * payload, std::size_t size);

/// A node has taken a message, which takes the time that the model of its costs says.
void spend_cost(Held & held);

/// Tell the harness, once, of something that is not under control.
void tell_uncontrolled(const std::string & what);

/// Tell the harness how many messages the queue of an entity had no room for, or how many requests
/// of a client nobody served.
void tell_dropped(const Entity & entity);

/// Trigger a guard condition, and wake who waits for it.
void trigger_held(GuardCondition & guard);

/// Wake who waits for changes of the graph.
void graph_has_changed();

/// A number for an endpoint that is the same in every run.
Gid gid_of(const Endpoint & endpoint);

/// From now on random numbers are others than in the processes of other numbers, so that what is
/// made of them is unique among all; 0 changes nothing.
void vary_randomness(std::uint16_t number);

/// This process ends by itself with an exit code: send what has not been sent.
void end_by_itself(int status);

/// Code may have read clocks for so long that time has passed: then others may run.
void let_time_pass(Held & held);

/// The time of a clock that code reads, in ns since the epoch.
std::int64_t read_clock();

/// The run's time.
std::int64_t run_time();

}  // namespace rmw_lockstep

#endif  // PROCESS__RUN_HPP_
