#include "steps.hpp"

#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "delivery.hpp"
#include "harness.hpp"
#include "randomness.hpp"
#include "rcutils/error_handling.h"
#include "real.hpp"
#include "rosidl_runtime_c/type_hash.h"
#include "run.hpp"

namespace rmw_lockstep
{

namespace
{

using lockstep::FrameKind;

std::string next_word(const char *& at, const char * end)
{
  const char * stop = std::find(at, end, '\0');
  std::string word(at, stop);
  at = stop == end ? end : stop + 1;
  return word;
}

void add_input_topic(Run & run, const lockstep::FrameHeader & header, const std::uint8_t * payload)
{
  if (run.inputs.size() <= header.port) {
    run.inputs.resize(header.port + std::size_t{1});
  }
  InputTopic & topic = run.inputs[header.port];
  const char * at = reinterpret_cast<const char *>(payload);
  const char * end = at + header.length;
  topic.name = next_word(at, end);
  topic.type = next_word(at, end);
  topic.latched_depth = std::strtoull(next_word(at, end).c_str(), nullptr, 10);
}

void take_input(Run & run, Held & held, std::uint16_t port, Message message)
{
  if (port >= run.inputs.size()) {
    give_up("a message came for input " + std::to_string(port) + ", which was not announced");
  }
  InputTopic & topic = run.inputs[port];
  if (topic.latched_depth > 0) {
    if (topic.latched.size() >= topic.latched_depth) {
      topic.latched.pop_front();
    }
    topic.latched.push_back(message);
  }
  const std::vector<Entity *> readers = run.entities.subscriptions(topic.name);
  topic.unread += readers.empty() ? 1 : 0;
  for (Entity * entity : readers) {
    deliver(held, *entity, message);
  }
}

/// A request or a response.
Message asked_or_answered(
  const Run & run, const lockstep::FrameHeader & header, const std::uint8_t * payload)
{
  if (header.length < REQUEST_HEAD) {
    give_up("a request or response came without a client");
  }
  Message message;
  std::memcpy(message.gid.data(), payload, message.gid.size());
  std::memcpy(&message.sequence, payload + message.gid.size(), sizeof message.sequence);
  message.payload = std::make_shared<const std::vector<std::uint8_t>>(
    payload + REQUEST_HEAD, payload + header.length);
  message.sent_ns = run.clock.now_ns();
  return message;
}

/// A request of the harness to a service of this process.
void take_request(
  Run & run, Held & held, const lockstep::FrameHeader & header, const std::uint8_t * payload)
{
  Entity * service = run.entities.find(EntityKind::service, header.port);
  if (service == nullptr) {
    give_up("a request came for entity " + std::to_string(header.port) + ", which is no service");
  }
  const Message message = asked_or_answered(run, header, payload);
  run.link.use_up();
  deliver(held, *service, message);
}

/// The answer of a service of another process, to a client that may be gone.
void take_answer(
  Run & run, Held & held, const lockstep::FrameHeader & header, const std::uint8_t * payload)
{
  const Message message = asked_or_answered(run, header, payload);
  run.link.use_up();
  if (Entity * client = run.entities.find(EntityKind::client, header.port)) {
    deliver(held, *client, message);
  }
}

/// The publisher of another process whose number stands in a frame.
const Endpoint & peer_of(const Run & run, std::uint16_t number)
{
  const auto found = run.peers.find(number);
  if (found == run.peers.end()) {
    give_up("a message came of peer " + std::to_string(number) + ", which was not announced");
  }
  return found->second;
}

/// What a publisher of another process has published, with `skipped` bytes before it.
Message published(
  const Run & run, const lockstep::FrameHeader & header, const std::uint8_t * payload,
  const Endpoint & peer, std::size_t skipped = 0)
{
  Message message;
  message.payload =
    std::make_shared<const std::vector<std::uint8_t>>(payload + skipped, payload + header.length);
  message.sent_ns = run.clock.now_ns();
  message.gid = gid_of(peer);
  return message;
}

void take_message(
  Run & run, Held & held, const lockstep::FrameHeader & header, const std::uint8_t * payload)
{
  const Endpoint peer = peer_of(run, header.port);
  const Message message = published(run, header, payload, peer);
  run.link.use_up();
  distribute(held, peer, message);
}

/// What was latched before a subscription was there, which may be gone again.
void take_latched(
  Run & run, Held & held, const lockstep::FrameHeader & header, const std::uint8_t * payload)
{
  std::uint16_t number = 0;
  if (header.length < sizeof number) {
    give_up("a latched message came without its publisher");
  }
  std::memcpy(&number, payload, sizeof number);
  const Message message = published(run, header, payload, peer_of(run, number), sizeof number);
  run.link.use_up();
  if (Entity * subscription = run.entities.find(EntityKind::subscription, header.port)) {
    deliver(held, *subscription, message);
  }
}

EntityKind kind_of(const std::string & word)
{
  if (word == "publisher") {
    return EntityKind::publisher;
  }
  if (word == "subscription") {
    return EntityKind::subscription;
  }
  return word == "service" ? EntityKind::service : EntityKind::client;
}

/// An entity of another process, which nodes see from now on.
void add_peer(Run & run, const lockstep::FrameHeader & header, const std::uint8_t * payload)
{
  const char * at = reinterpret_cast<const char *>(payload);
  const char * end = at + header.length;
  Endpoint & peer = run.peers[header.port];
  peer.kind = kind_of(next_word(at, end));
  peer.process = static_cast<std::uint16_t>(std::stoul("0" + next_word(at, end)));
  peer.id = static_cast<std::uint16_t>(std::stoul("0" + next_word(at, end)));
  peer.name = next_word(at, end);
  peer.type = next_word(at, end);
  peer.node = next_word(at, end);
  const std::string hash = next_word(at, end);
  if (rosidl_parse_type_hash_string(hash.c_str(), &peer.type_hash) != RCUTILS_RET_OK) {
    rcutils_reset_error();
  }
  peer.qos = {};
  peer.qos.depth = std::stoul("0" + next_word(at, end));
  peer.qos.history =
    peer.qos.depth == 0 ? RMW_QOS_POLICY_HISTORY_KEEP_ALL : RMW_QOS_POLICY_HISTORY_KEEP_LAST;
  peer.qos.reliability = next_word(at, end) == "best_effort"
                           ? RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT
                           : RMW_QOS_POLICY_RELIABILITY_RELIABLE;
  peer.qos.durability = next_word(at, end) == "transient_local"
                          ? RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL
                          : RMW_QOS_POLICY_DURABILITY_VOLATILE;
}

}  // namespace

bool is_step(FrameKind kind)
{
  switch (kind) {
    case FrameKind::input:
    case FrameKind::advance:
    case FrameKind::request:
    case FrameKind::message:
    case FrameKind::latched:
    case FrameKind::answer:
      return true;
    default:
      return false;
  }
}

bool is_tick(const lockstep::FrameHeader & header)
{
  return header.kind == FrameKind::input || header.kind == FrameKind::request ||
         (header.kind == FrameKind::advance && header.port != lockstep::TO_DEADLINE);
}

void take_frame(Run & run, Held & held, Thread * looking)
{
  const lockstep::FrameHeader header = run.link.header();
  if (is_step(header.kind)) {
    if (header.step != run.consumed) {
      give_up(
        "step " + std::to_string(run.consumed) + " should have come, but step " +
        std::to_string(header.step) + " came");
    }
    ++run.consumed;
    if (header.time_ns != 0) {
      run.clock.step_to(header.time_ns);
    }
  }
  switch (header.kind) {
    case FrameKind::advance:
      run.link.use_up();
      return;
    case FrameKind::input: {
      const std::uint8_t * payload = run.link.payload();
      Message message;
      message.payload =
        std::make_shared<const std::vector<std::uint8_t>>(payload, payload + header.length);
      message.sent_ns = run.clock.now_ns();
      run.link.use_up();
      take_input(run, held, header.port, std::move(message));
      return;
    }
    case FrameKind::request:
      take_request(run, held, header, run.link.payload());
      return;
    case FrameKind::message:
      take_message(run, held, header, run.link.payload());
      return;
    case FrameKind::latched:
      take_latched(run, held, header, run.link.payload());
      return;
    case FrameKind::answer:
      take_answer(run, held, header, run.link.payload());
      return;
    case FrameKind::topic:
      add_input_topic(run, header, run.link.payload());
      run.link.use_up();
      return;
    case FrameKind::peer:
      add_peer(run, header, run.link.payload());
      run.link.use_up();
      graph_has_changed();
      return;
    case FrameKind::peer_gone:
      run.peers.erase(header.port);
      run.link.use_up();
      graph_has_changed();
      return;
    case FrameKind::number:
      vary_randomness(header.port);
      run.link.use_up();
      return;
    case FrameKind::end:
      run.link.use_up();
      say_done(run);
      finish(run, 0);
      held.unlock();  // a handler may run in this thread
      raw_syscall(SYS_tgkill, raw_syscall(SYS_getpid), run.main_thread, SIGINT);
      held.lock();
      if (
        looking != nullptr && looking->id == run.main_thread && looking->wait.interruptible &&
        looking->state == Thread::State::blocked) {
        run.scheduler.wake(*looking, Woken::by_signal);
      }
      return;
    default:
      give_up(
        "a frame of kind " + std::to_string(static_cast<int>(header.kind)) +
        " came, which no harness sends");
  }
}

}  // namespace rmw_lockstep
