#ifndef PROCESS__RUN_HPP_
#define PROCESS__RUN_HPP_

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
#include "timers.hpp"

namespace rmw_lockstep
{

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
  explicit Run(std::int64_t start_ns);
  ~Run();
  Run(const Run &) = delete;
  Run & operator=(const Run &) = delete;

  Scheduler scheduler;
  Clock clock;
  Link link;
  Entities entities;
  Timers timers;
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
  int stop_looking;                      ///< an eventfd
  int main_thread;                       ///< the kernel's number
  int exit_code = 0;                     ///< of a process that exits by itself
  std::set<std::string> told;
};

/// The run of this process from now on, which must live as long as any code of it runs.
void use(Run & run);

/// The run of this process.
Run & run();

}  // namespace rmw_lockstep

#endif  // PROCESS__RUN_HPP_
