/// Descriptors. Waits for them are on the time of the run, and others run meanwhile. Input from
/// outside of the process is told, because nobody knows when it comes.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <iterator>
#include <vector>

#include "../process/harness.hpp"
#include "../process/real.hpp"
#include "waits.hpp"

using namespace rmw_lockstep;

namespace
{

constexpr std::int64_t NS_PER_MS = 1000000;

/// Wait until a descriptor is ready, for at most `timeout_ns` if that is not negative.
Woken wait_for_descriptors(pollfd * descriptors, std::size_t count, std::int64_t timeout_ns)
{
  Run & run = rmw_lockstep::run();
  Held held(run.scheduler.lock);
  Wait wait;
  wait.what = WaitsFor::descriptors;
  wait.descriptors = descriptors;
  wait.descriptor_count = count;
  wait.interruptible = true;
  if (timeout_ns >= 0) {
    wait.deadline_ns = later(run.clock.now_ns(), timeout_ns);
  }
  return run.scheduler.wait(held, wait);
}

/// Ask by a function that does not wait, and again when a descriptor is ready, a signal has come or
/// the time is over.
template <typename Ask>
int ask_until_ready(std::vector<pollfd> awaited, std::int64_t timeout_ns, Ask ask)
{
  const int count = ask();
  if (count != 0 || timeout_ns == 0) {
    return count;
  }
  if (wait_for_descriptors(awaited.data(), awaited.size(), timeout_ns) == Woken::by_signal) {
    errno = EINTR;
    return -1;
  }
  return ask();
}

std::int64_t timeout_of(const timespec * time) { return time == nullptr ? -1 : to_ns(*time); }

constexpr timespec NO_TIME{0, 0};

enum class Source
{
  file,
  inside,
  outside,
  randomness
};

/// Whether the other end of a socket is in this process.
bool is_own_socket(int descriptor)
{
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         peer.pid == real_process_id();
}

/// Where input of a descriptor comes from.
Source source_of(int descriptor)
{
  struct stat status{};
  if (fstat(descriptor, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
    return Source::file;
  }
  if (S_ISCHR(status.st_mode)) {
    if (status.st_rdev == makedev(1, 8) || status.st_rdev == makedev(1, 9)) {
      return Source::randomness;
    }
    const bool is_empty = status.st_rdev == makedev(1, 3) || status.st_rdev == makedev(1, 5);
    return is_empty ? Source::file : Source::outside;
  }
  return S_ISSOCK(status.st_mode) && !is_own_socket(descriptor) ? Source::outside : Source::inside;
}

/// Wait, if the descriptor is one to wait for, until there is something to read.
void wait_to_read(int descriptor, Source source)
{
  if (source == Source::file) {
    return;
  }
  if (source == Source::outside) {
    Held held(run().scheduler.lock);
    tell_uncontrolled("a thread reads what comes from outside (a socket or device)");
  }
  std::vector<pollfd> asked{{descriptor, POLLIN, 0}};
  if (
    REAL(ppoll)(asked.data(), 1, &NO_TIME, nullptr) != 0 ||
    (fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0) {
    return;
  }
  wait_for_descriptors(asked.data(), asked.size(), -1);
}

std::vector<pollfd> of_sets(int count, const fd_set * in, const fd_set * out, const fd_set * bad)
{
  std::vector<pollfd> all;
  const auto is_in = [](int i, const fd_set * set) { return set != nullptr && FD_ISSET(i, set); };
  for (int i = 0; i < count; ++i) {
    const int events =
      (is_in(i, in) ? POLLIN : 0) | (is_in(i, out) ? POLLOUT : 0) | (is_in(i, bad) ? POLLPRI : 0);
    if (events != 0) {
      all.push_back({i, static_cast<short>(events), 0});
    }
  }
  return all;
}

/// Whether a descriptor is this library's: code that closes whatever it does not know leaves it.
bool is_own(int descriptor)
{
  return descriptor >= 0 &&
         (descriptor == run().link.descriptor() || descriptor == run().stop_looking);
}

void tell_of_children()
{
  Held held(run().scheduler.lock);
  tell_uncontrolled(WAITS_FOR_CHILDREN);
}

}  // namespace

REPLACE int ppoll(
  pollfd * descriptors, nfds_t count, const timespec * timeout, const sigset_t * mask)
{
  if (!is_on()) {
    return REAL(ppoll)(descriptors, count, timeout, mask);
  }
  return ask_until_ready(
    std::vector<pollfd>(descriptors, descriptors + count), timeout_of(timeout),
    [=] { return REAL(ppoll)(descriptors, count, &NO_TIME, mask); });
}

REPLACE int poll(pollfd * descriptors, nfds_t count, int timeout_ms)
{
  if (!is_on()) {
    return REAL(poll)(descriptors, count, timeout_ms);
  }
  const timespec timeout = to_timespec(timeout_ms * NS_PER_MS);
  return ppoll(descriptors, count, timeout_ms < 0 ? nullptr : &timeout, nullptr);
}

REPLACE int pselect(
  int count, fd_set * in, fd_set * out, fd_set * bad, const timespec * timeout,
  const sigset_t * mask)
{
  if (!is_on()) {
    return REAL(pselect)(count, in, out, bad, timeout, mask);
  }
  fd_set none;
  FD_ZERO(&none);
  const fd_set asked[3] = {in ? *in : none, out ? *out : none, bad ? *bad : none};
  return ask_until_ready(of_sets(count, in, out, bad), timeout_of(timeout), [=] {
    fd_set * const given[3] = {in, out, bad};
    for (int i = 0; i < 3; ++i) {
      if (given[i] != nullptr) {
        *given[i] = asked[i];
      }
    }
    return REAL(pselect)(count, in, out, bad, &NO_TIME, mask);
  });
}

REPLACE int select(int count, fd_set * in, fd_set * out, fd_set * bad, timeval * timeout)
{
  if (!is_on()) {
    return REAL(select)(count, in, out, bad, timeout);
  }
  timespec time{};
  if (timeout != nullptr) {
    time = {timeout->tv_sec, timeout->tv_usec * 1000};
  }
  return pselect(count, in, out, bad, timeout == nullptr ? nullptr : &time, nullptr);
}

REPLACE int epoll_pwait(
  int epoll, epoll_event * events, int most, int timeout_ms, const sigset_t * mask)
{
  if (!is_on()) {
    return REAL(epoll_pwait)(epoll, events, most, timeout_ms, mask);
  }
  const std::int64_t timeout_ns = timeout_ms < 0 ? -1 : timeout_ms * NS_PER_MS;
  return ask_until_ready({{epoll, POLLIN, 0}}, timeout_ns, [=] {
    return REAL(epoll_pwait)(epoll, events, most, 0, mask);
  });
}

REPLACE int epoll_wait(int epoll, epoll_event * events, int most, int timeout_ms)
{
  return epoll_pwait(epoll, events, most, timeout_ms, nullptr);
}

REPLACE ssize_t read(int descriptor, void * bytes, std::size_t size)
{
  if (is_on()) {
    const Source source = source_of(descriptor);
    if (source == Source::randomness) {
      return getrandom(bytes, size, 0);
    }
    wait_to_read(descriptor, source);
  }
  return REAL(read)(descriptor, bytes, size);
}

REPLACE ssize_t recv(int descriptor, void * bytes, std::size_t size, int flags)
{
  if (is_on() && (flags & MSG_DONTWAIT) == 0) {
    wait_to_read(descriptor, source_of(descriptor));
  }
  return REAL(recv)(descriptor, bytes, size, flags);
}

REPLACE ssize_t recvfrom(
  int descriptor, void * bytes, std::size_t size, int flags, sockaddr * address, socklen_t * length)
{
  if (is_on() && (flags & MSG_DONTWAIT) == 0) {
    wait_to_read(descriptor, source_of(descriptor));
  }
  return REAL(recvfrom)(descriptor, bytes, size, flags, address, length);
}

REPLACE ssize_t recvmsg(int descriptor, msghdr * message, int flags)
{
  if (is_on() && (flags & MSG_DONTWAIT) == 0) {
    wait_to_read(descriptor, source_of(descriptor));
  }
  return REAL(recvmsg)(descriptor, message, flags);
}

REPLACE int accept4(int descriptor, sockaddr * address, socklen_t * length, int flags)
{
  if (is_on()) {
    wait_to_read(descriptor, Source::outside);
  }
  return REAL(accept4)(descriptor, address, length, flags);
}

REPLACE int accept(int descriptor, sockaddr * address, socklen_t * length)
{
  return accept4(descriptor, address, length, 0);
}

REPLACE int close(int descriptor)
{
  if (is_on()) {
    if (is_own(descriptor)) {
      errno = EBADF;
      return -1;
    }
    const Held held(run().scheduler.lock);
    run().timers.remove(descriptor);
  }
  return REAL(close)(descriptor);
}

REPLACE int close_range(unsigned first, unsigned last, int flags) noexcept
{
  if (!is_on()) {
    return static_cast<int>(with_errno(raw_syscall(SYS_close_range, first, last, flags)));
  }
  int own[] = {run().link.descriptor(), run().stop_looking};
  std::sort(std::begin(own), std::end(own));
  for (const int descriptor : own) {
    const auto number = static_cast<unsigned>(descriptor);
    if (descriptor < 0 || number < first || number > last) {
      continue;
    }
    if (number > first && raw_syscall(SYS_close_range, first, number - 1, flags) < 0) {
      break;
    }
    first = number + 1;
  }
  return first > last
           ? 0
           : static_cast<int>(with_errno(raw_syscall(SYS_close_range, first, last, flags)));
}

REPLACE void closefrom(int first) noexcept
{
  close_range(static_cast<unsigned>(std::max(first, 0)), UINT_MAX, 0);
}

REPLACE int dup3(int descriptor, int target, int flags) noexcept
{
  if (is_on() && is_own(target)) {
    errno = EBUSY;
    return -1;
  }
  return static_cast<int>(with_errno(raw_syscall(SYS_dup3, descriptor, target, flags)));
}

REPLACE int dup2(int descriptor, int target) noexcept
{
  if (descriptor == target) {
    return fcntl(descriptor, F_GETFD) < 0 ? -1 : target;
  }
  return dup3(descriptor, target, 0);
}

REPLACE pid_t wait4(pid_t process, int * status, int options, rusage * usage)
{
  if (is_on()) {
    tell_of_children();
  }
  return REAL(wait4)(process, status, options, usage);
}

REPLACE pid_t waitpid(pid_t process, int * status, int options)
{
  return wait4(process, status, options, nullptr);
}

REPLACE int waitid(idtype_t kind, id_t process, siginfo_t * info, int options)
{
  if (is_on()) {
    tell_of_children();
  }
  return REAL(waitid)(kind, process, info, options);
}
