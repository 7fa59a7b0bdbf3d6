#include "direct_run.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/contract.hpp"
#include "lockstep/host/errors.hpp"
#include "lockstep/host/log.hpp"
#include "lockstep/host/parameter_value.hpp"
#include "lockstep/registration.hpp"
#include "rcl_interfaces/msg/parameter.hpp"
#include "standard_streams.hpp"

namespace lockstep
{

namespace
{

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t TIMES_PER_FRAME = 16384;

// Signals end a direct run by themselves.
const std::atomic<bool> NO_STOP{false};

std::string name_of(FrameKind kind)
{
  static constexpr std::array<const char *, 6> NAMES = {"",      "PARAMETER", "START",
                                                        "INPUT", "ADVANCE",   "END"};
  return NAMES.at(static_cast<std::size_t>(kind));
}

bool is_known(FrameKind kind) { return kind >= FrameKind::parameter && kind <= FrameKind::end; }

RunError misplaced(const Frame & frame, const char * where)
{
  const FrameKind kind = frame.header.kind;
  if (!is_known(kind)) {
    return RunError(
      "a frame of kind " + std::to_string(static_cast<int>(kind)) +
      " came, which no harness sends");
  }
  return RunError(name_of(kind) + " came " + where);
}

void check_empty(const Frame & frame)
{
  if (frame.header.length > 0) {
    throw RunError(
      name_of(frame.header.kind) + " came with " + std::to_string(frame.header.length) +
      " bytes, but it has no payload");
  }
}

std::unique_ptr<Component> make_logging(const std::string & class_name, const std::string & logger)
{
  std::unique_ptr<Component> component = make_component(class_name);
  component->logger.connect(
    [logger](Severity severity, const std::string & text) { log(logger.c_str(), severity, text); });
  return component;
}

}  // namespace

DirectRun::DirectRun(Component & component, FrameReader & reader, FrameWriter & writer)
: component_(component),
  reader_(reader),
  writer_(writer),
  execution_(component, NO_STOP),
  input_times_(component.inputs().size()),
  timer_times_(component.timers().size()),
  gate_(component, [this](std::size_t output, const void * message) { publish(output, message); })
{
  for (const InputPort * input : component.inputs()) {
    inputs_.emplace_back(input->type_support());
  }
  for (const OutputPort * output : component.outputs()) {
    outputs_.emplace_back(output->type_support());
  }
  execution_.connect([this](std::size_t timer, std::chrono::nanoseconds duration) {
    timer_times_[timer].add(duration);
  });
}

void DirectRun::run()
{
  take_parameters();
  start();
  while (consume(next())) {
    const auto now = SteadyClock::now();
    if (steps_ - acknowledged_ >= MAX_UNACKNOWLEDGED || now - flushed_at_ >= MAX_SILENCE) {
      acknowledge();
    }
    if (now - flushed_at_ >= MAX_SILENCE) {  // slow is not hanging
      writer_.flush();
      flushed_at_ = now;
    }
  }
  gate_.refuse();
  finish();
}

void DirectRun::take_parameters()
{
  Frame frame = next();
  for (; frame.header.kind == FrameKind::parameter; frame = next()) {
    set_parameter(frame);
  }
  if (frame.header.kind != FrameKind::start) {
    throw misplaced(frame, "before START");
  }
  check_empty(frame);
}

void DirectRun::set_parameter(const Frame & frame)
{
  static const MessageCodec CODEC(
    rosidl_typesupport_cpp::get_message_type_support_handle<rcl_interfaces::msg::Parameter>());
  rcl_interfaces::msg::Parameter message;
  if (!CODEC.deserialize(frame.payload, frame.header.length, &message)) {
    throw RunError("PARAMETER came with no valid rcl_interfaces/msg/Parameter");
  }
  const auto & parameters = component_.parameters();
  const auto found = std::find_if(
    parameters.begin(), parameters.end(),
    [&message](const ParameterBase * parameter) { return parameter->name() == message.name; });
  const std::string subject = "parameter '" + message.name + "' ";
  if (found == parameters.end()) {
    throw UsageError(subject + "is not declared");
  }
  ParameterBase & parameter = **found;
  const std::optional<ParameterValue> value = from_msg(message.value);
  if (!value || value->index() != parameter.default_value().index()) {
    throw UsageError(
      subject + "must be of type " + type_name(parameter.default_value()) + ", not " +
      type_name(message.value.type));
  }
  const std::string objection = parameter.range_objection(*value);
  if (!objection.empty()) {
    throw UsageError(subject + objection);
  }
  parameter.set(*value);
}

void DirectRun::start()
{
  tell_failure([this] { execution_.start(); });
  send(FrameKind::done);
  writer_.flush();
  flushed_at_ = SteadyClock::now();
}

bool DirectRun::consume(const Frame & frame)
{
  switch (frame.header.kind) {
    case FrameKind::input:
      check_step(frame.header);
      deliver(frame);
      break;
    case FrameKind::advance:
      check_step(frame.header);
      check_empty(frame);
      tell_failure([&] { execution_.advance(frame.header.time_ns); });
      break;
    case FrameKind::end:
      check_empty(frame);
      return false;
    default:
      throw misplaced(frame, "before the END of the run");
  }
  ++steps_;
  return true;
}

void DirectRun::deliver(const Frame & frame)
{
  const std::size_t port = frame.header.port;
  if (port >= inputs_.size()) {
    throw RunError(
      "a message came for input " + std::to_string(port) + ", but there are " +
      std::to_string(inputs_.size()) + " inputs");
  }
  InputPort & input = *component_.inputs()[port];
  if (!inputs_[port].deserialize(frame.payload, frame.header.length, input.buffer())) {
    throw RunError(
      "input '" + input.name() + "': message of step " + std::to_string(steps_) + " is no valid " +
      input.type());
  }
  tell_failure([&] {
    execution_.advance(frame.header.time_ns);
    const auto start = SteadyClock::now();
    execution_.deliver(input);
    input_times_[port].add(SteadyClock::now() - start);
  });
}

void DirectRun::finish()
{
  for (std::size_t i = 0; i < input_times_.size(); ++i) {
    send_times(i, input_times_[i]);
  }
  for (std::size_t i = 0; i < timer_times_.size(); ++i) {
    send_times(TIMER_PORTS + i, timer_times_[i]);
  }
  send(FrameKind::finished);
  writer_.flush();
}

Frame DirectRun::next()
{
  if (!reader_.ready()) {
    acknowledge();
    writer_.flush();
    flushed_at_ = SteadyClock::now();
  }
  const std::optional<Frame> frame = reader_.next();
  if (!frame) {
    throw RunError("stdin ended before the run did");
  }
  return *frame;
}

void DirectRun::check_step(const FrameHeader & header) const
{
  if (header.step != steps_) {
    throw RunError(
      "step " + std::to_string(steps_) + " should have come, but step " +
      std::to_string(header.step) + " came");
  }
}

void DirectRun::acknowledge()
{
  if (steps_ != acknowledged_) {
    send(FrameKind::done);
    acknowledged_ = steps_;
  }
}

void DirectRun::publish(std::size_t output, const void * message)
{
  const MessageCodec & codec = outputs_[output];
  const std::size_t size = codec.max_size(message);
  if (size > MAX_PAYLOAD) {
    throw RunError(
      "output '" + component_.outputs()[output]->name() + "': a message of " +
      std::to_string(size) + " bytes is larger than the " + std::to_string(MAX_PAYLOAD >> 20) +
      " MiB of a frame");
  }
  const std::size_t length = codec.serialize(message, writer_.payload(size), size);
  writer_.send(
    {FrameKind::output, static_cast<std::uint16_t>(output), steps_, execution_.now_ns(),
     static_cast<std::uint32_t>(length)});
}

void DirectRun::send_times(std::size_t port, const CallbackTimes & times)
{
  const std::vector<std::uint32_t> & values = times.values();
  for (std::size_t i = 0; i < values.size(); i += TIMES_PER_FRAME) {
    const std::size_t count = std::min(TIMES_PER_FRAME, values.size() - i);
    writer_.send(
      {FrameKind::times, static_cast<std::uint16_t>(port), steps_, 0,
       static_cast<std::uint32_t>(count * sizeof(std::uint32_t))},
      &values[i]);
  }
}

void DirectRun::send(FrameKind kind)
{
  writer_.send({kind, 0, steps_, execution_.now_ns(), 0}, nullptr);
}

template <typename Call>
void DirectRun::tell_failure(Call && call)
{
  try {
    call();
  } catch (const RunError & error) {
    const std::string text = error.what();
    writer_.send(
      {FrameKind::failed, 0, steps_, execution_.now_ns(), static_cast<std::uint32_t>(text.size())},
      text.data());
    writer_.flush();
    throw;
  }
}

void serve_direct_runs(
  const std::string & class_name, const std::string & logger,
  const std::vector<std::pair<std::string, int>> & log_levels)
{
  FrameReader reader(take_standard_input());
  FrameWriter writer(take_standard_output());
  std::signal(SIGPIPE, SIG_IGN);  // writing fails instead, and the writer tells
  std::signal(SIGINT, SIG_DFL);   // nothing is to be saved, and a shell's background job ignores it
  set_log_levels(log_levels);

  std::unique_ptr<Component> component = make_logging(class_name, logger);
  const std::string contract = to_json(contract_of(class_name, *component));
  writer.send(
    {FrameKind::contract, 0, 0, 0, static_cast<std::uint32_t>(contract.size())}, contract.data());
  writer.flush();

  DirectRun(*component, reader, writer).run();
  while (!reader.at_end()) {
    component = make_logging(class_name, logger);
    DirectRun(*component, reader, writer).run();
  }
}

}  // namespace lockstep
