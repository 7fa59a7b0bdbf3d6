#include "free_run.hpp"

namespace lockstep
{

namespace
{

/// Services are looked at again after so many messages of each input.
constexpr int MAX_MESSAGES = 64;

}  // namespace

FreeRun::FreeRun(
  const Component & component, Ports & ports, Clock & clock, Execution & execution,
  const Services & services, const StopSignal & stop, WaitSet & wait_set)
: ports_(ports),
  clock_(clock),
  execution_(execution),
  services_(services),
  stop_(stop),
  wait_set_(wait_set),
  gate_(component, [&ports](std::size_t output, const void * message) {
    ports.publish(output, message);
  })
{
}

void FreeRun::run()
{
  execution_.start();
  execution_.advance(clock_.now_ns());
  while (!stop_.requested()) {
    wait();
    services_.answer(wait_set_);
    clock_.update();
    execution_.advance(clock_.now_ns());
    deliver_messages();
  }
}

void FreeRun::wait()
{
  wait_set_.clear();
  wait_set_.add(stop_.guard());
  services_.add_to(wait_set_);
  for (const auto & input : ports_.inputs) {
    wait_set_.add(input->subscription.handle());
  }
  if (const Subscription * clock = clock_.subscription()) {
    wait_set_.add(clock->handle());
  }
  wait_set_.wait(clock_.until(execution_.schedule().next_due_ns()));
}

void FreeRun::deliver_messages()
{
  // Inputs take turns, so that messages of several inputs keep roughly the order of their arrival.
  bool delivered = true;
  for (int i = 0; i < MAX_MESSAGES && delivered && !stop_.requested(); ++i) {
    delivered = false;
    for (const auto & input : ports_.inputs) {
      if (input->take()) {
        clock_.update();
        execution_.advance(clock_.now_ns());
        execution_.deliver(input->port);
        delivered = true;
      }
    }
  }
}

}  // namespace lockstep
