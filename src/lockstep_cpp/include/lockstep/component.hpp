#ifndef LOCKSTEP__COMPONENT_HPP_
#define LOCKSTEP__COMPONENT_HPP_

#include <cstdint>
#include <vector>

#include "lockstep/logger.hpp"
#include "lockstep/parameter.hpp"
#include "lockstep/port.hpp"
#include "lockstep/qos.hpp"
#include "lockstep/time.hpp"
#include "lockstep/timer.hpp"

namespace lockstep
{

/// The unit under test: typed ports, parameters and timers, and nothing of a ROS client library.
///
/// Derive from it and declare its parts as members; they are known in the order of declaration.
/// \code
/// class VectorNormalizer : public lockstep::Component
/// {
///   Input<Vector3Stamped> vector{this, "vector", &VectorNormalizer::on_vector};
///   Output<Vector3Stamped> normalized{this, "normalized"};
///   Parameter<double> epsilon{this, "epsilon", 1e-12, "below this length the zero vector is returned"};
///
///   void on_vector(const Vector3Stamped & msg);
/// };
/// LOCKSTEP_COMPONENT(VectorNormalizer)
/// \endcode
class Component
{
public:
  virtual ~Component() = default;
  Component(const Component &) = delete;
  Component & operator=(const Component &) = delete;

  /// Called once when the parameters have their values, before the first message or timer.
  virtual void on_start() {}

  /// Called when one or several parameters have got new values in a running component. Never before
  /// on_start, and never while another callback runs.
  virtual void on_parameters_changed() {}

  /// The run's time in ns since the epoch: the only clock a component may read. 0: not known yet.
  std::int64_t now() const { return now_ns_; }

  Logger logger;

  const std::vector<InputPort *> & inputs() const { return inputs_; }
  const std::vector<OutputPort *> & outputs() const { return outputs_; }
  const std::vector<ParameterBase *> & parameters() const { return parameters_; }
  const std::vector<lockstep::Timer *> & timers() const { return timers_; }

  /// Hosts set the run's time before each callback.
  void set_now(std::int64_t now_ns) { now_ns_ = now_ns; }

protected:
  Component() = default;

  // So that a derived class need not name the namespace again.
  template <typename Message>
  using Input = lockstep::Input<Message>;
  template <typename Message>
  using Output = lockstep::Output<Message>;
  template <typename T>
  using Parameter = lockstep::Parameter<T>;
  using Timer = lockstep::Timer;
  using QoS = lockstep::QoS;
  using Minimum = lockstep::Minimum;
  using Maximum = lockstep::Maximum;
  static constexpr lockstep::ReadOnly READ_ONLY{};
  static constexpr lockstep::QoS SENSOR_DATA = lockstep::SENSOR_DATA;

private:
  friend class lockstep::InputPort;
  friend class lockstep::OutputPort;
  friend class lockstep::ParameterBase;
  friend class lockstep::Timer;

  std::int64_t now_ns_ = 0;
  std::vector<InputPort *> inputs_;
  std::vector<OutputPort *> outputs_;
  std::vector<ParameterBase *> parameters_;
  std::vector<lockstep::Timer *> timers_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__COMPONENT_HPP_
