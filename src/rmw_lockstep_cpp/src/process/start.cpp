#include "start.hpp"

#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "harness.hpp"
#include "real.hpp"
#include "run.hpp"
#include "watcher.hpp"

namespace rmw_lockstep
{

namespace
{

std::atomic<bool> is_on_{false};
pthread_key_t end_key;

std::string base_name(const std::string & path) { return path.substr(path.rfind('/') + 1); }

bool begins_with(const std::string & text, const char * begin) { return text.rfind(begin, 0) == 0; }

bool ends_with(const std::string & text, const std::string & end)
{
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

int note_rcl(dl_phdr_info * info, std::size_t, void * found)
{
  if (begins_with(base_name(info->dlpi_name), "librcl.so")) {
    *static_cast<bool *>(found) = true;
  }
  return 0;
}

/// Whether this is a node, as far as can be known when it starts: it is linked to rcl, or a program
/// in Python but not the command line of ROS or what starts launch files. Anything else becomes one
/// when it calls rmw_init.
bool is_node(int argc, char ** argv)
{
  bool is_linked_to_rcl = false;
  dl_iterate_phdr(note_rcl, &is_linked_to_rcl);
  if (is_linked_to_rcl) {
    return true;
  }
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  if (
    size <= 0 ||
    !begins_with(base_name(std::string(path, static_cast<std::size_t>(size))), "python")) {
    return false;
  }
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] != '-') {
      return base_name(argv[i]) != "ros2" && !ends_with(argv[i], "/lockstep_launch/system");
    }
    if (std::strcmp(argv[i], "-c") == 0 || std::strcmp(argv[i], "-m") == 0) {
      return true;
    }
  }
  return true;
}

/// The destructors of a thread's keys run in rounds; it ends in the last of them.
void end_of_thread(void * round)
{
  const auto number = reinterpret_cast<std::uintptr_t>(round);
  if (!is_on()) {
    return;
  }
  if (number < PTHREAD_DESTRUCTOR_ITERATIONS) {
    pthread_setspecific(end_key, reinterpret_cast<void *>(number + 1));
    return;
  }
  Held held(run().scheduler.lock);
  run().scheduler.end_thread(held);
}

/// Whether this library stands before the C library, whose functions it replaces. It does not if it
/// was loaded because RMW_IMPLEMENTATION names it, and not before all others.
bool is_loaded_first()
{
  Dl_info first{};
  Dl_info own{};
  return dladdr(dlsym(RTLD_DEFAULT, "clock_gettime"), &first) != 0 &&
         dladdr(reinterpret_cast<const void *>(&is_node), &own) != 0 &&
         first.dli_fbase == own.dli_fbase;
}

void leave_child_alone()
{
  is_on_ = false;
  known_thread_id = 0;
}

void turn_on()
{
  const char * start = std::getenv("LOCKSTEP_TIME");
  Run & run = *new Run(start == nullptr ? 1000000000000000000LL : std::strtoll(start, nullptr, 10));
  const char * cost = std::getenv("LOCKSTEP_COST");
  run.cost_ns = cost == nullptr ? 0 : std::strtoll(cost, nullptr, 10);
  use(run);
  pthread_key_create(&end_key, end_of_thread);
  pthread_atfork(nullptr, nullptr, leave_child_alone);
  {
    Held held(run.scheduler.lock);
    run.scheduler.take_turn(held);
  }
  is_on_ = true;
  start_watcher();
}

__attribute__((constructor)) void start(int argc, char ** argv, char **)
{
  if (!harness_path().empty() && is_loaded_first() && is_node(argc, argv)) {
    turn_on();
  }
}

__attribute__((destructor)) void stop()
{
  if (is_on()) {
    Held held(run().scheduler.lock);
    end_by_itself(run().exit_code);
  }
}

}  // namespace

bool is_on() { return is_on_.load(std::memory_order_relaxed); }

void ensure_on()
{
  if (is_on()) {
    return;
  }
  if (harness_path().empty()) {
    give_up(
      "LOCKSTEP_SOCKET is not set: nodes on this middleware are started by lockstep "
      "(`lockstep node`, `lockstep run`), or unset RMW_IMPLEMENTATION");
  }
  if (!is_loaded_first()) {
    give_up(
      "something between lockstep and this node has unset LD_PRELOAD, without which the node's "
      "time and threads are not under control; keep it, or use run: {mode: live}");
  }
  turn_on();
}

int real_process_id() { return static_cast<int>(raw_syscall(SYS_getpid)); }

void mark_thread() { pthread_setspecific(end_key, reinterpret_cast<void *>(std::uintptr_t{1})); }

}  // namespace rmw_lockstep
