#include "events.hpp"

#include <cstdint>

#include "delivery.hpp"
#include "harness.hpp"
#include "kernel_waits.hpp"
#include "passing_time.hpp"
#include "run.hpp"
#include "steps.hpp"

namespace rmw_lockstep
{

void next_event(Held & held, Thread * looking)
{
  Run & run = rmw_lockstep::run();
  while (!run.scheduler.is_busy()) {
    if (wake_by_descriptors(run) || offer(run)) {
      return;
    }
    if (!run.has_ended && wait_for_children(run, held, looking)) {
      continue;
    }
    const std::int64_t deadline_ns = next_deadline_ns(run);
    if (deadline_ns <= run.clock.now_ns()) {
      expire_next(run);
      continue;
    }
    if (run.has_ended) {
      wait_in_real_time(run, held, looking);
      continue;
    }
    ensure_connected();
    if (!run.link.has_frame()) {
      wait_for_frame(run, held, looking);
      continue;
    }
    const lockstep::FrameHeader & header = run.link.header();
    if (is_step(header.kind)) {
      run.clock.has_started();
      run.step = header.step;
      if (deadline_ns <= header.time_ns) {
        expire_next(run);
        continue;
      }
      keep_in_touch(run);
      if (is_tick(header) && tell_clock(run, held, header.time_ns)) {
        continue;
      }
    }
    take_frame(run, held, looking);
  }
}

}  // namespace rmw_lockstep
