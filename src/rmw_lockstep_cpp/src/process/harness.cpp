#include "harness.hpp"

#include <stdlib.h>
#include <sys/syscall.h>

#include <chrono>
#include <cstdlib>

#include "passing_time.hpp"
#include "real.hpp"
#include "run.hpp"

namespace rmw_lockstep
{

namespace
{

using lockstep::FrameKind;

constexpr std::int64_t MAX_SILENCE_NS = std::chrono::nanoseconds(lockstep::MAX_SILENCE).count();
constexpr std::size_t FLUSHED_BYTES = std::size_t{1} << 16;

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

}  // namespace

void say_done(Run & run)
{
  if (run.said == run.consumed) {
    return;
  }
  run.said = run.consumed;
  const std::int64_t deadline_ns = next_deadline_ns(run);
  run.link.send(
    {FrameKind::done, 0, run.consumed, run.clock.now_ns(), sizeof deadline_ns}, &deadline_ns);
}

void flush(Run & run)
{
  run.link.flush();
  run.flushed_ns = real_now_ns();
}

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

void finish(Run & run, std::uint16_t how, std::int32_t status)
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

const std::string & harness_path()
{
  static const std::string path = [] {
    const char * value = std::getenv("LOCKSTEP_SOCKET");
    return std::string(value == nullptr ? "" : value);
  }();
  return path;
}

void ensure_connected()
{
  Run & run = rmw_lockstep::run();
  if (run.link.is_open() || run.has_ended) {
    return;
  }
  run.link.open(harness_path());
  // Not before, when not all libraries are there: it would be called after they are gone.
  on_exit([](int code, void *) { rmw_lockstep::run().exit_code = code; }, nullptr);
  run.flushed_ns = real_now_ns();
  const std::string json = "{\"pid\": " + std::to_string(raw_syscall(SYS_getpid)) + "}";
  run.link.send(
    {FrameKind::process, 0, 0, run.clock.now_ns(), static_cast<std::uint32_t>(json.size())},
    json.data());
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

void end_by_itself(int status)
{
  Run & run = rmw_lockstep::run();
  if (!run.has_ended && run.link.is_open()) {
    finish(run, lockstep::BY_ITSELF, status);
  }
}

}  // namespace rmw_lockstep
