#include "run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "rcutils/error_handling.h"
#include "real.hpp"
#include "rosidl_runtime_c/type_hash.h"
#include "start.hpp"

namespace rmw_lockstep
{

namespace
{

using lockstep::FrameKind;

constexpr std::int64_t MAX_SILENCE_NS = std::chrono::nanoseconds(lockstep::MAX_SILENCE).count();
constexpr std::size_t FLUSHED_BYTES = std::size_t{1} << 16;
constexpr std::int64_t CHILD_PATIENCE_NS = 2000000000;

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

/// Whether it is a step of the bag, at which /clock ticks, rather than of another process.
bool is_tick(const lockstep::FrameHeader & header)
{
  return header.kind == FrameKind::input || header.kind == FrameKind::request ||
         (header.kind == FrameKind::advance && header.port != lockstep::TO_DEADLINE);
}

/// A deadline has come.
void expire(Run & run, Thread & thread)
{
  run.clock.step_to(thread.wait.deadline_ns);
  run.scheduler.wake(thread, Woken::by_deadline);
}

/// Offer the message that came first of all that somebody waits for; whether there is one.
bool offer(Run & run)
{
  for (Entity * entity : run.entities.with_messages()) {
    if (entity->on_new != nullptr || entity->is_left_waiting()) {
      continue;  // who has taken the call takes the message when it likes
    }
    for (Thread * thread : run.scheduler.waiting()) {
      if (thread->wait.what != WaitsFor::entities) {
        continue;
      }
      EntityWait * wait = thread->wait.entities;
      const auto & wanted = *wait->entities;
      if (std::find(wanted.begin(), wanted.end(), entity) != wanted.end()) {
        ++entity->offers;
        wait->chosen = entity;
        run.scheduler.wake(*thread, Woken::by_event);
        return true;
      }
    }
  }
  return false;
}

/// The descriptors that threads of this process wait for.
std::vector<pollfd> awaited_descriptors(const Run & run)
{
  std::vector<pollfd> all;
  for (const Thread * thread : run.scheduler.waiting()) {
    if (thread->wait.what == WaitsFor::descriptors) {
      const pollfd * first = thread->wait.descriptors;
      all.insert(all.end(), first, first + thread->wait.descriptor_count);
    }
  }
  return all;
}

/// Wake a thread whose descriptors are ready; whether there is one.
bool wake_by_descriptors(Run & run)
{
  for (Thread * thread : run.scheduler.waiting()) {
    if (thread->wait.what != WaitsFor::descriptors || thread->wait.descriptor_count == 0) {
      continue;
    }
    std::vector<pollfd> asked(
      thread->wait.descriptors, thread->wait.descriptors + thread->wait.descriptor_count);
    const timespec now{0, 0};
    if (raw_syscall(SYS_ppoll, asked.data(), asked.size(), &now, nullptr, 0) > 0) {
      run.scheduler.wake(*thread, Woken::by_event);
      return true;
    }
  }
  return false;
}

/// Wait in the kernel for descriptors, for at most `timeout_ns` if that is not negative; a signal
/// wakes the thread that looks.
void wait_in_kernel(
  Run & run, Held & held, Thread * looking, std::vector<pollfd> & asked, std::int64_t timeout_ns)
{
  asked.push_back({run.stop_looking, POLLIN, 0});
  for (const pollfd & one : awaited_descriptors(run)) {
    asked.push_back(one);
  }
  const timespec timeout{timeout_ns / 1000000000, timeout_ns % 1000000000};
  held.unlock();
  const long result = raw_syscall(
    SYS_ppoll, asked.data(), asked.size(), timeout_ns < 0 ? nullptr : &timeout, nullptr, 0);
  held.lock();
  std::uint64_t count = 0;
  raw_syscall(SYS_read, run.stop_looking, &count, sizeof count);
  const bool is_blocked = looking != nullptr && looking->state == Thread::State::blocked;
  if (result == -EINTR && is_blocked && looking->wait.interruptible) {
    run.scheduler.wake(*looking, Woken::by_signal);
  }
}

bool has_children()
{
  siginfo_t info{};
  return raw_syscall(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT, nullptr) == 0;
}

/// While a thread waits for a descriptor and a child of this process is at work, time stands still
/// for some of real time, since that is what it may wait for; whether there was such a wait.
bool wait_for_children(Run & run, Held & held, Thread * looking)
{
  if (run.has_waited_for_children || awaited_descriptors(run).empty() || !has_children()) {
    return false;
  }
  tell_uncontrolled(WAITS_FOR_CHILDREN);
  std::vector<pollfd> asked;
  const std::int64_t begin_ns = real_now_ns();
  wait_in_kernel(run, held, looking, asked, CHILD_PATIENCE_NS);
  run.has_waited_for_children = real_now_ns() - begin_ns >= CHILD_PATIENCE_NS;
  return true;
}

void say_done(Run & run)
{
  if (run.said == run.consumed) {
    return;
  }
  run.said = run.consumed;
  const Thread * first = run.scheduler.earliest();
  const std::int64_t deadline_ns = first == nullptr ? FOREVER : first->wait.deadline_ns;
  run.link.send(
    {FrameKind::done, 0, run.consumed, run.clock.now_ns(), sizeof deadline_ns}, &deadline_ns);
}

void flush(Run & run)
{
  run.link.flush();
  run.flushed_ns = real_now_ns();
}

/// Tell what has been consumed as often as the protocol wants it.
void keep_in_touch(Run & run)
{
  const bool is_overdue = real_now_ns() - run.flushed_ns > MAX_SILENCE_NS;
  if (is_overdue || run.consumed - run.said >= lockstep::MAX_UNACKNOWLEDGED) {
    say_done(run);
  }
  if (is_overdue || run.link.unsent() >= FLUSHED_BYTES) {
    flush(run);
  }
}

void note(Run & run, const std::string & json)
{
  if (run.has_ended) {
    return;
  }
  run.link.send(
    {FrameKind::note, 0, run.step, run.clock.now_ns(), static_cast<std::uint32_t>(json.size())},
    json.data());
}

std::string counted(const char * what, const std::string & topic, std::uint64_t count)
{
  return std::string("{\"note\": \"") + what + "\", \"topic\": \"" + topic +
         "\", \"count\": " + std::to_string(count) + "}";
}

/// What the run had of it, for the end; `status` is the exit code of a node that ends by itself.
void finish(Run & run, std::uint16_t how, std::int32_t status = 0)
{
  for (const Entity * entity : run.entities.all()) {
    if (entity->dropped > 0) {
      tell_dropped(*entity);
    }
  }
  for (const InputTopic & topic : run.inputs) {
    if (topic.unread > 0) {
      note(run, counted("unread", topic.name, topic.unread));
    }
  }
  run.link.send(
    {FrameKind::finished, how, run.consumed, run.clock.now_ns(), sizeof status}, &status);
  flush(run);
  run.has_ended = true;
  run.end_ns = run.clock.now_ns();
  run.real_end_ns = real_now_ns();
}

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

/// The subscriptions of this process to a topic of the harness.
std::vector<Entity *> readers(const Run & run, const std::string & topic)
{
  std::vector<Entity *> result;
  for (Entity * entity : run.entities.all()) {
    if (entity->kind == EntityKind::subscription && entity->name == topic) {
      result.push_back(entity);
    }
  }
  return result;
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
  topic.unread += readers(run, topic.name).empty() ? 1 : 0;
  for (Entity * entity : readers(run, topic.name)) {
    deliver(held, *entity, message);
  }
}

Entity * entity_of(const Run & run, EntityKind kind, std::uint16_t id)
{
  const auto & all = run.entities.all();
  const auto found = std::find_if(all.begin(), all.end(), [kind, id](const Entity * entity) {
    return entity->kind == kind && entity->id == id;
  });
  return found == all.end() ? nullptr : *found;
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
  Entity * service = entity_of(run, EntityKind::service, header.port);
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
  if (Entity * client = entity_of(run, EntityKind::client, header.port)) {
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
  if (Entity * subscription = entity_of(run, EntityKind::subscription, header.port)) {
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

/// Take the frame at hand.
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

/// Give who subscribes to /clock the time of the step at hand, before what comes at that time;
/// whether there was anything to give.
bool tell_clock(Run & run, Held & held, std::int64_t time_ns)
{
  if (time_ns == 0 || time_ns == run.told_clock_ns || readers(run, "/clock").empty()) {
    return false;
  }
  run.told_clock_ns = time_ns;
  run.clock.step_to(time_ns);
  const std::uint32_t stamp[] = {
    static_cast<std::uint32_t>(time_ns / 1000000000),
    static_cast<std::uint32_t>(time_ns % 1000000000)};
  std::vector<std::uint8_t> bytes{0, 1, 0, 0};  // CDR, little endian
  bytes.resize(4 + sizeof stamp);
  std::memcpy(&bytes[4], stamp, sizeof stamp);
  Message message;
  message.sent_ns = run.clock.now_ns();
  message.payload = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  for (Entity * entity : readers(run, "/clock")) {
    deliver(held, *entity, message);
  }
  return true;
}

/// After the end time is real: wait for the next deadline, descriptor or signal.
void wait_in_real_time(Run & run, Held & held, Thread * looking)
{
  const std::int64_t passed_ns = real_now_ns() - run.real_end_ns;
  run.clock.step_to(run.end_ns + passed_ns);
  const Thread * first = run.scheduler.earliest();
  std::int64_t timeout_ns = -1;
  if (first != nullptr) {
    timeout_ns = first->wait.deadline_ns - run.clock.now_ns();
    if (timeout_ns <= 0) {
      return;
    }
  }
  std::vector<pollfd> asked;
  wait_in_kernel(run, held, looking, asked, timeout_ns);
  run.clock.step_to(run.end_ns + real_now_ns() - run.real_end_ns);
}

void wait_for_frame(Run & run, Held & held, Thread * looking)
{
  say_done(run);
  flush(run);
  if (run.link.read_some()) {
    return;
  }
  std::vector<pollfd> asked{{run.link.descriptor(), POLLIN, 0}};
  wait_in_kernel(run, held, looking, asked, -1);
}

}  // namespace

std::int64_t real_now_ns()
{
  timespec now{};
  REAL(clock_gettime)(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

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
    Thread * first = run.scheduler.earliest();
    if (first != nullptr && first->wait.deadline_ns <= run.clock.now_ns()) {
      expire(run, *first);
      return;
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
      if (first != nullptr && first->wait.deadline_ns <= header.time_ns) {
        expire(run, *first);
        return;
      }
      keep_in_touch(run);
      if (is_tick(header) && tell_clock(run, held, header.time_ns)) {
        continue;
      }
    }
    take_frame(run, held, looking);
  }
}

void stop_looking()
{
  const std::uint64_t one = 1;
  raw_syscall(SYS_write, run().stop_looking, &one, sizeof one);
}

void ensure_connected()
{
  Run & run = rmw_lockstep::run();
  if (run.link.is_open() || run.has_ended) {
    return;
  }
  run.link.open(harness_path());
  listen_for_exit_code();
  run.flushed_ns = real_now_ns();
  const std::string json = "{\"pid\": " + std::to_string(raw_syscall(SYS_getpid)) + "}";
  run.link.send(
    {FrameKind::process, 0, 0, run.clock.now_ns(), static_cast<std::uint32_t>(json.size())},
    json.data());
}

void distribute(Held & held, const Endpoint & publisher, const Message & message)
{
  Run & run = rmw_lockstep::run();
  const bool is_own = publisher.process == 0;
  for (Entity * entity : readers(run, publisher.name)) {
    if (are_matched(publisher, *entity) && !(is_own && entity->ignores_own_process)) {
      deliver(held, *entity, message);
    }
  }
}

void spend_cost(Held & held)
{
  Run & run = rmw_lockstep::run();
  if (run.cost_ns == 0 || run.has_ended) {
    return;
  }
  Wait wait;
  wait.what = WaitsFor::time;
  wait.deadline_ns = run.clock.now_ns() + run.cost_ns;
  run.scheduler.wait(held, wait);
}

void graph_has_changed()
{
  for (GuardCondition * guard : run().entities.graph_guards()) {
    trigger_held(*guard);
  }
}

void deliver(Held & held, Entity & entity, const Message & message)
{
  Run & run = rmw_lockstep::run();
  Message received = message;
  received.received_ns = run.clock.now_ns();
  run.entities.put(entity, std::move(received));
  if (entity.on_new == nullptr) {
    ++entity.untold;
    return;
  }
  const auto call = entity.on_new;
  const void * user_data = entity.user_data;
  Thread & thread = run.scheduler.this_thread();
  if (run.scheduler.running() == &thread) {
    held.unlock();
    call(user_data, 1);
    held.lock();
  } else {
    run.scheduler.call_as_running(held, thread, [call, user_data] { call(user_data, 1); });
  }
}

void send(lockstep::FrameKind kind, std::uint16_t port, const void * payload, std::size_t size)
{
  Run & run = rmw_lockstep::run();
  if (run.has_ended) {
    return;
  }
  if (size > lockstep::MAX_PAYLOAD) {
    give_up(
      "a message of " + std::to_string(size) + " bytes is larger than the " +
      std::to_string(lockstep::MAX_PAYLOAD >> 20) + " MiB of a frame");
  }
  ensure_connected();
  run.link.send(
    {kind, port, run.step, run.clock.now_ns(), static_cast<std::uint32_t>(size)}, payload);
  if (run.link.unsent() >= 4 * FLUSHED_BYTES) {  // of one callback
    flush(run);
  }
}

void tell_uncontrolled(const std::string & what)
{
  Run & run = rmw_lockstep::run();
  if (run.has_ended || !run.told.insert(what).second) {
    return;
  }
  std::string json = "{\"note\": \"uncontrolled\", \"what\": \"";
  for (const char c : what) {
    json += c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' ' ? '?' : c;
  }
  json += "\"}";
  send(FrameKind::note, 0, json.data(), json.size());
}

void tell_dropped(const Entity & entity)
{
  const char * what = entity.kind == EntityKind::client ? "unserved" : "dropped";
  note(run(), counted(what, entity.name, entity.dropped));
}

void trigger_held(GuardCondition & guard)
{
  Scheduler & scheduler = run().scheduler;
  guard.is_triggered = true;
  const std::vector<Thread *> waiting = scheduler.waiting();
  for (Thread * thread : waiting) {
    if (thread->wait.what != WaitsFor::entities) {
      continue;
    }
    EntityWait & wait = *thread->wait.entities;
    if (std::find(wait.guards->begin(), wait.guards->end(), &guard) != wait.guards->end()) {
      wait.triggered.push_back(&guard);
      guard.is_triggered = false;
      scheduler.wake(*thread, Woken::by_event);
    }
  }
}

void end_by_itself(int status)
{
  Run & run = rmw_lockstep::run();
  if (!run.has_ended && run.link.is_open()) {
    finish(run, lockstep::BY_ITSELF, status);
  }
}

void let_time_pass(Held & held)
{
  Run & run = rmw_lockstep::run();
  if (!run.clock.has_passed_by_reading()) {
    return;
  }
  for (Thread * first = run.scheduler.earliest();
       first != nullptr && first->wait.deadline_ns <= run.clock.now_ns();
       first = run.scheduler.earliest()) {
    expire(run, *first);
  }
  run.scheduler.yield(held);
}

std::int64_t read_clock()
{
  Run & run = rmw_lockstep::run();
  if (run.scheduler.lock.is_mine()) {
    return run.clock.now_ns();  // in a signal handler
  }
  Held held(run.scheduler.lock);
  if (run.has_ended) {
    run.clock.step_to(run.end_ns + real_now_ns() - run.real_end_ns);
  }
  const std::int64_t read_ns = run.clock.read(thread_id());
  let_time_pass(held);
  return read_ns;
}

std::int64_t run_time()
{
  Run & run = rmw_lockstep::run();
  Held held(run.scheduler.lock);
  return run.clock.now_ns();
}

}  // namespace rmw_lockstep
