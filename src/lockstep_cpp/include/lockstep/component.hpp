#ifndef LOCKSTEP__COMPONENT_HPP_
#define LOCKSTEP__COMPONENT_HPP_

#include <cstdint>
#include <vector>

#include "lockstep/logger.hpp"
#include "lockstep/parameter.hpp"
#include "lockstep/port.hpp"
#include "lockstep/qos.hpp"
#include "lockstep/service.hpp"
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
///   Parameter<double> epsilon{
///     this, "epsilon", 1e-12, "below this length the zero vector is returned"};
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
  /// An exception that leaves it, or any other callback, fails the run: the host exits with 3.
  virtual void on_start() {}

  /// Called when one or several parameters have got new values in a running component. Never before
  /// on_start, and never while another callback runs.
  virtual void on_parameters_changed() {}

  /// The run's time in ns since the epoch: the only clock a component may read. 0: not known yet.
  std::int64_t now() const { return now_ns_; }

  /// The node's ROS logger, with the levels of `--log-level` and /rosout.
  Logger logger;

  /// \return the inputs in the order of declaration, services among them; they are members of this
  /// object
  const std::vector<InputPort *> & inputs() const { return inputs_; }

  /// \return the outputs in the order of declaration, responses of services among them; they are
  /// members of this object
  const std::vector<OutputPort *> & outputs() const { return outputs_; }

  /// \return the parameters in the order of declaration; they are members of this object
  const std::vector<ParameterBase *> & parameters() const { return parameters_; }

  /// \return the timers in the order of declaration; they are members of this object
  const std::vector<lockstep::Timer *> & timers() const { return timers_; }

  /// Hosts set the run's time before each callback.
  /// \param now_ns ns since the epoch; 0: not known yet
  void set_now(std::int64_t now_ns) { now_ns_ = now_ns; }

protected:
  Component() = default;

  /// \name What a component is made of
  /// The same as in the namespace, so that a derived class need not name it again.
  /// \{

  /// \see lockstep::Input
  template <typename Message>
  using Input = lockstep::Input<Message>;
  /// \see lockstep::Output
  template <typename Message>
  using Output = lockstep::Output<Message>;
  /// \see lockstep::Parameter
  template <typename T>
  using Parameter = lockstep::Parameter<T>;
  /// \see lockstep::Service
  template <typename Type>
  using Service = lockstep::Service<Type>;
  /// \see lockstep::Timer
  using Timer = lockstep::Timer;
  /// \see lockstep::QoS
  using QoS = lockstep::QoS;
  /// \see lockstep::Minimum
  using Minimum = lockstep::Minimum;
  /// \see lockstep::Maximum
  using Maximum = lockstep::Maximum;
  /// \see lockstep::READ_ONLY
  static constexpr lockstep::ReadOnly READ_ONLY{};
  /// \see lockstep::SENSOR_DATA
  static constexpr lockstep::QoS SENSOR_DATA = lockstep::SENSOR_DATA;

  /// \}

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
