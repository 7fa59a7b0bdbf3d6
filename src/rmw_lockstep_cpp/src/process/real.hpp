#ifndef PROCESS__REAL_HPP_
#define PROCESS__REAL_HPP_

#include <dlfcn.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>
#include <type_traits>

/// \file
/// The kernel and the C library as they are beneath the functions that this library replaces.

namespace rmw_lockstep
{

/// A system call that nobody replaces; minus the error if there is one.
inline long raw_call(
  long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0)
{
#if defined(__x86_64__)
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
#else
#error "rmw_lockstep_cpp knows the system calls of x86_64 and aarch64"
#endif
}

/// An argument of a system call as a register holds it.
template <typename T>
long as_long(T value)
{
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else {
    return static_cast<long>(value);
  }
}

/// The same with any arguments.
template <typename... Arguments>
long raw_syscall(long number, Arguments... arguments)
{
  return raw_call(number, as_long(arguments)...);
}

/// What a function of the C library returns for the result of a system call, with errno.
inline long with_errno(long result)
{
  if (result < 0 && result > -4096) {
    errno = static_cast<int>(-result);
    return -1;
  }
  return result;
}

/// The kernel's number of the calling thread, once it has asked.
extern thread_local __attribute__((tls_model("initial-exec"))) int known_thread_id;

/// The kernel's number of the calling thread.
inline int thread_id()
{
  if (known_thread_id == 0) {
    known_thread_id = static_cast<int>(raw_syscall(SYS_gettid));
  }
  return known_thread_id;
}

/// The function that the replaced one of this name stands before.
void * next_function(const char * name, const char * version = nullptr);

/// The function of a library that is loaded, wherever it is in the order of libraries: those that
/// Python loads are in none.
void * function_of(const char * library, const char * name);

}  // namespace rmw_lockstep

/// The function of the C library that is replaced by one of the same name.
#define REAL(name)                                                               \
  ([]() {                                                                        \
    static const auto function =                                                 \
      reinterpret_cast<decltype(&::name)>(::rmw_lockstep::next_function(#name)); \
    return function;                                                             \
  }())
#define REAL_VERSION(name, version)                                                       \
  ([]() {                                                                                 \
    static const auto function =                                                          \
      reinterpret_cast<decltype(&::name)>(::rmw_lockstep::next_function(#name, version)); \
    return function;                                                                      \
  }())

#define REAL_OF(library, name)                                                          \
  ([]() {                                                                               \
    static const auto function =                                                        \
      reinterpret_cast<decltype(&::name)>(::rmw_lockstep::function_of(library, #name)); \
    return function;                                                                    \
  }())

/// A function that stands before one of the C library.
#define REPLACE extern "C" __attribute__((visibility("default")))

#endif  // PROCESS__REAL_HPP_
