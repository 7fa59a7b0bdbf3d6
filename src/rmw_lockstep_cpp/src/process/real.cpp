#include "real.hpp"

#include <cstdio>
#include <cstdlib>

namespace rmw_lockstep
{

thread_local __attribute__((tls_model("initial-exec"))) int known_thread_id = 0;

void * next_function(const char * name, const char * version)
{
  void * function = version == nullptr ? dlsym(RTLD_NEXT, name) : dlvsym(RTLD_NEXT, name, version);
  if (function == nullptr && version != nullptr) {
    function = dlsym(RTLD_NEXT, name);  // another architecture counts its versions otherwise
  }
  if (function == nullptr) {
    std::fprintf(stderr, "rmw_lockstep: the C library has no %s\n", name);
    std::abort();
  }
  return function;
}

void * function_of(const char * library, const char * name)
{
  void * handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  void * function = handle == nullptr ? nullptr : dlsym(handle, name);
  if (function == nullptr) {
    std::fprintf(stderr, "rmw_lockstep: %s has no %s\n", library, name);
    std::abort();
  }
  return function;
}

}  // namespace rmw_lockstep
