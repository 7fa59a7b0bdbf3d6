#include "lockstep/host/output_gate.hpp"

#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

#include "lockstep/host/errors.hpp"
#include "lockstep/host/events.hpp"

namespace lockstep
{

namespace
{

constexpr int RUN_FAILED = 3;

[[noreturn]] void end_process(const std::string & output)
{
  const RunError error("output '" + output + "' was published after the end of the run");
  tell_error(error, error.what());
  std::fprintf(stderr, "%s\n", error.what());
  _exit(RUN_FAILED);
}

}  // namespace

struct OutputGate::State
{
  std::mutex mutex;  // a component's threads may publish while the run ends
  Publish publish;
  bool refuses = false;
};

OutputGate::OutputGate(const Component & component, Publish publish)
: state_(std::make_shared<State>())
{
  state_->publish = std::move(publish);
  std::size_t index = 0;
  for (OutputPort * output : component.outputs()) {
    output->connect([state = state_, output, index](const void * message) {
      const std::lock_guard<std::mutex> lock(state->mutex);
      if (state->refuses) {
        end_process(output->name());
      }
      if (state->publish) {
        state->publish(index, message);
      }
    });
    ++index;
  }
}

OutputGate::~OutputGate()
{
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->publish = nullptr;
}

void OutputGate::refuse()
{
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->refuses = true;
}

}  // namespace lockstep
