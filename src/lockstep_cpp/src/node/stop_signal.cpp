#include "stop_signal.hpp"

#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): POSIX
#include <unistd.h>

#include <chrono>
#include <thread>

#include "check.hpp"
#include "host/ros_error.hpp"

namespace lockstep
{

namespace
{

// Ctrl-C reaches a node twice, from the terminal and from whoever started it (ros2 launch).
constexpr std::chrono::seconds kOneInterruption{1};
constexpr int kEndedBySignal = 128;  // plus its number: what a shell makes of it

sigset_t stop_signals()
{
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

void block_stop_signals()
{
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A shell starts background jobs with SIGINT ignored, and an ignored signal is never waited for.
  signal(SIGINT, SIG_DFL);
}

StopSignal::StopSignal(Context & context) : guard_(rcl_get_zero_initialized_guard_condition())
{
  check(
    rcl_guard_condition_init(&guard_, context.handle(), rcl_guard_condition_get_default_options()),
    "creating a guard condition");
  thread_ = std::thread([this] { watch(); });
}

StopSignal::~StopSignal()
{
  finished_ = true;
  // The thread waits for it.
  pthread_kill(thread_.native_handle(), SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread)
  thread_.join();
  if (rcl_guard_condition_fini(&guard_) != RCL_RET_OK) {
    take_ros_error();
  }
}

void StopSignal::watch()
{
  const sigset_t signals = stop_signals();
  int received = 0;
  std::chrono::steady_clock::time_point first;
  while (sigwait(&signals, &received) == 0 && !finished_) {
    const auto now = std::chrono::steady_clock::now();
    if (!requested_.exchange(true)) {
      first = now;
    } else if (now - first > kOneInterruption) {
      _exit(kEndedBySignal + received);
    }
    if (rcl_trigger_guard_condition(&guard_) != RCL_RET_OK) {
      take_ros_error();
    }
  }
}

}  // namespace lockstep
