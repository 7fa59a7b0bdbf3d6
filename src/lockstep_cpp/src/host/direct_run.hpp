#ifndef HOST__DIRECT_RUN_HPP_
#define HOST__DIRECT_RUN_HPP_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "callback_times.hpp"
#include "lockstep/component.hpp"
#include "lockstep/host/execution.hpp"
#include "lockstep/host/frame_reader.hpp"
#include "lockstep/host/frame_writer.hpp"
#include "lockstep/host/message_codec.hpp"
#include "lockstep/host/output_gate.hpp"

namespace lockstep
{

/// One run of a component by the direct protocol (docs/direct-protocol.md): from its parameters to
/// END. lockstep/host/direct_run.py is the twin.
class DirectRun
{
public:
  DirectRun(Component & component, FrameReader & reader, FrameWriter & writer);

  /// Consume the frames of the run.
  /// \throws UsageError for a parameter that the component does not take, RunError if a callback
  /// failed (then the harness knows) or a rule of the protocol was broken, and Stopped if nobody
  /// reads the outputs any more
  void run();

private:
  void take_parameters();
  void set_parameter(const Frame & frame);
  void start();
  bool consume(const Frame & frame);
  void deliver(const Frame & frame);
  void finish();

  Frame next();
  void check_step(const FrameHeader & header) const;
  void acknowledge();
  void publish(std::size_t output, const void * message);
  void send_times(std::size_t port, const CallbackTimes & times);
  void send(FrameKind kind);

  template <typename Call>
  void tell_failure(Call && call);

  Component & component_;
  FrameReader & reader_;
  FrameWriter & writer_;
  Execution execution_;
  std::vector<MessageCodec> inputs_;
  std::vector<MessageCodec> outputs_;
  std::vector<CallbackTimes> input_times_;
  std::vector<CallbackTimes> timer_times_;
  std::uint64_t steps_ = 0;         ///< consumed
  std::uint64_t acknowledged_ = 0;  ///< of them, by DONE
  std::chrono::steady_clock::time_point flushed_at_;
  OutputGate gate_;  ///< closed before the rest goes
};

/// Make runs of a component by the direct protocol, as many as the standard input has, with neither
/// node nor middleware.
/// \param class_name a registered class without its namespace
/// \param logger the name under which it logs
/// \param log_levels as set_log_levels takes them
/// \throws what DirectRun::run does
void serve_direct_runs(
  const std::string & class_name, const std::string & logger,
  const std::vector<std::pair<std::string, int>> & log_levels);

}  // namespace lockstep

#endif  // HOST__DIRECT_RUN_HPP_
