#ifndef LOCKSTEP__HOST__OUTPUT_GATE_HPP_
#define LOCKSTEP__HOST__OUTPUT_GATE_HPP_

#include <cstddef>
#include <functional>
#include <memory>

#include "lockstep/component.hpp"

namespace lockstep
{

/// Where the outputs of a component lead during its run. A component outlives its run and may
/// publish in its destructor or from a thread of its own: then the gate is closed, and nothing of
/// the run is touched any more.
class OutputGate
{
public:
  /// Gets the index of the output and the message.
  using Publish = std::function<void(std::size_t output, const void * message)>;

  /// Connect every output of a component; whatever is published goes to `publish`.
  OutputGate(const Component & component, Publish publish);
  OutputGate(const OutputGate &) = delete;
  OutputGate & operator=(const OutputGate &) = delete;

  /// Close it: what is published from now on is passed over, unless it is refused.
  ~OutputGate();

  /// The run has ended well: whoever publishes from now on ends the process with exit code 3, since
  /// it would be lost.
  void refuse();

private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__OUTPUT_GATE_HPP_
