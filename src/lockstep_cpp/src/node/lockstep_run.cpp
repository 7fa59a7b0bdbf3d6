#include "lockstep_run.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

#include "lockstep/host/errors.hpp"
#include "lockstep/host/protocol.hpp"
#include "lockstep/time.hpp"

namespace lockstep
{

namespace
{

using SteadyClock = std::chrono::steady_clock;

template <typename Message>
const rosidl_message_type_support_t * type_support()
{
  return rosidl_typesupport_cpp::get_message_type_support_handle<Message>();
}

}  // namespace

LockstepRun::LockstepRun(
  Node & node, const Component & component, Ports & ports, Execution & execution,
  const Services & services, const StopSignal & stop, WaitSet & wait_set)
: ports_(ports),
  execution_(execution),
  services_(services),
  stop_(stop),
  wait_set_(wait_set),
  steps_(
    node, type_support<lockstep_interfaces::msg::Steps>(), STEPS_TOPIC,
    lossless(Durability::volatile_)),
  acknowledgements_(
    node, type_support<lockstep_interfaces::msg::Acknowledgement>(), ACKNOWLEDGEMENT_TOPIC,
    lossless(Durability::volatile_)),
  gate_(component, [this](std::size_t output, const void * message) { publish(output, message); })
{
  acknowledgement_.node = node.fully_qualified_name();
  for (std::size_t i = 0; i < ports_.outputs.size(); ++i) {
    acknowledgement_.topics.push_back(ports_.outputs[i]->publisher.topic());
    codecs_.emplace_back(ports_.outputs[i]->port.type_support());
  }
}

void LockstepRun::run()
{
  try {
    take_steps();
  } catch (const Stopped &) {
    gate_.refuse();
    throw;
  }
  gate_.refuse();
}

void LockstepRun::take_steps()
{
  announce();
  // Not before the first step: only now does the recorder hear what on_start publishes.
  execution_.start();
  while (true) {
    consume();
    const bool more = take_step();
    if (
      !more || acknowledgement_.steps - acknowledged_ >= MAX_UNACKNOWLEDGED ||
      SteadyClock::now() - acknowledged_at_ >= MAX_SILENCE) {  // slow is not hanging
      acknowledge();
    }
    if (stop_.requested()) {
      return;
    }
    if (!more) {
      do {
        wait(steps_);
      } while (!take_step());
    }
  }
}

bool LockstepRun::take_step()
{
  if (++step_ < announced_.stamp.size()) {
    return true;
  }
  while (steps_.take(&announced_)) {
    if (announced_.index != acknowledgement_.steps) {
      throw RunError(
        "lockstep failed at " + seconds(execution_.now_ns()) + " s: step " +
        std::to_string(acknowledgement_.steps) + " should have come, but step " +
        std::to_string(announced_.index) + " came");
    }
    if (announced_.topic.size() != announced_.stamp.size()) {
      throw RunError(
        "lockstep failed at " + seconds(execution_.now_ns()) +
        " s: " + std::to_string(announced_.topic.size()) + " steps came with " +
        std::to_string(announced_.stamp.size()) + " stamps");
    }
    step_ = 0;
    if (!announced_.stamp.empty()) {
      return true;
    }
  }
  return false;
}

void LockstepRun::announce()
{
  auto next = SteadyClock::now();
  while (!take_step()) {
    if (SteadyClock::now() >= next) {
      acknowledgement_.ready = ready();
      publish_surely(acknowledgements_, &acknowledgement_);
      next = SteadyClock::now() + ANNOUNCEMENT_PERIOD;
    }
    wait(steps_, next - SteadyClock::now());
  }
  acknowledgement_.ready = true;
}

bool LockstepRun::ready() const
{
  // The acknowledgements are for the player and for the recorder.
  return steps_.publisher_count() >= 1 && acknowledgements_.subscription_count() >= 2 &&
         std::all_of(
           ports_.inputs.begin(), ports_.inputs.end(),
           [](const auto & input) { return input->subscription.publisher_count() >= 1; }) &&
         std::all_of(ports_.outputs.begin(), ports_.outputs.end(), [](const auto & output) {
           return output->publisher.subscription_count() >= 1;
         });
}

void LockstepRun::consume()
{
  execution_.advance(stamp_ns(announced_.stamp[step_]));
  if (const std::size_t topic = announced_.topic[step_]; topic < announced_.topics.size()) {
    for (const auto & input : ports_.inputs) {
      if (input->subscription.topic() == announced_.topics[topic]) {
        deliver_next(*input);
      }
    }
  }
  ++acknowledgement_.steps;
}

void LockstepRun::deliver_next(HostedInput & input)
{
  while (!input.take()) {
    // The player may be holding the message back until it has heard of the steps before.
    acknowledge();
    wait(input.subscription);
  }
  const auto start = SteadyClock::now();
  execution_.deliver(input.port);
  const auto duration = SteadyClock::now() - start;
  acknowledgement_.duration_ns.push_back(
    static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count()));
}

void LockstepRun::acknowledge()
{
  if (acknowledgement_.steps == acknowledged_) {
    return;
  }
  publish_surely(acknowledgements_, &acknowledgement_);
  acknowledged_ = acknowledgement_.steps;
  acknowledged_at_ = SteadyClock::now();
  acknowledgement_.published_topic.clear();
  acknowledgement_.published_stamp.clear();
  acknowledgement_.published_step.clear();
  acknowledgement_.duration_ns.clear();
}

void LockstepRun::publish(std::size_t output, const void * message)
{
  // In bytes, as direct runs do: rmw leaves what was in memory in the gaps of a message's layout.
  const MessageCodec & codec = codecs_[output];
  const std::size_t room = codec.max_size(message);
  if (bytes_.size() < room) {
    bytes_.resize(room);
  }
  const std::size_t size = codec.serialize(message, bytes_.data(), bytes_.size());
  Publisher & publisher = ports_.outputs[output]->publisher;
  insist(publisher, [&] { return publisher.try_publish(bytes_.data(), size); });
  acknowledgement_.published_topic.push_back(static_cast<std::uint32_t>(output));
  acknowledgement_.published_stamp.push_back(to_stamp(execution_.now_ns()));
  acknowledgement_.published_step.push_back(acknowledgement_.steps);
}

void LockstepRun::publish_surely(Publisher & publisher, const void * message)
{
  insist(publisher, [&] { return publisher.try_publish(message); });
}

template <typename Attempt>
void LockstepRun::insist(const Publisher & publisher, Attempt && attempt)
{
  if (attempt()) {
    return;
  }
  // The KEEP_ALL history is full: a subscriber is slower than this node, so wait for it.
  const auto give_up = SteadyClock::now() + PUBLISH_TIMEOUT;
  while (!attempt()) {
    if (stop_.requested()) {
      throw Stopped();
    }
    if (SteadyClock::now() > give_up) {
      throw RunError(
        "lockstep failed at " + seconds(execution_.now_ns()) + " s: no subscriber of '" +
        publisher.topic() + "' has taken a message for " + std::to_string(PUBLISH_TIMEOUT.count()) +
        " s");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void LockstepRun::wait(const Subscription & subscription, Timeout timeout)
{
  wait_set_.clear();
  wait_set_.add(stop_.guard());
  services_.add_to(wait_set_);
  wait_set_.add(subscription.handle());
  wait_set_.wait(timeout);
  if (stop_.requested()) {
    throw Stopped();
  }
  services_.answer(wait_set_);
}

}  // namespace lockstep
