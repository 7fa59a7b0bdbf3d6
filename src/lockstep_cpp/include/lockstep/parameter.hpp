#ifndef LOCKSTEP__PARAMETER_HPP_
#define LOCKSTEP__PARAMETER_HPP_

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep
{

class Component;

/// The value of any parameter. The order is that of rcl_interfaces/msg/ParameterType.
using ParameterValue = std::variant<
  bool, std::int64_t, double, std::string, std::vector<bool>, std::vector<std::int64_t>,
  std::vector<double>, std::vector<std::string>>;

/// The name of the value's type: bool, integer, double, string, or one of these with "_array".
const char * type_name(const ParameterValue & value);

/// A number with which a range ends.
struct Bound
{
  /// \param number an integer or a floating-point number
  template <
    typename Number,
    typename = std::enable_if_t<std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>>>
  explicit Bound(Number number)
  {
    if constexpr (std::is_integral_v<Number>) {
      value = static_cast<std::int64_t>(number);
    } else {
      value = static_cast<double>(number);
    }
  }

  /// A std::int64_t or a double.
  ParameterValue value;
};

/// The smallest value of a number, or of every element of an array of numbers; it is allowed
/// itself.
struct Minimum : Bound
{
  using Bound::Bound;
};

/// The largest value of a number, or of every element of an array of numbers; it is allowed itself.
struct Maximum : Bound
{
  using Bound::Bound;
};

/// The type of READ_ONLY.
struct ReadOnly
{
};

/// Marks a parameter that gets its value at start and keeps it.
inline constexpr ReadOnly READ_ONLY{};

/// Which values a parameter may take, and whether it may take another one during a run.
struct ParameterLimits
{
  /// The smallest value: an integer for a parameter of integers, a double for one of doubles.
  std::optional<ParameterValue> minimum;
  /// The largest value, of the same type.
  std::optional<ParameterValue> maximum;
  /// Whether it keeps the value that it has at start.
  bool read_only = false;

  /// Set the smallest value.
  void add(const Minimum & bound) { minimum = bound.value; }
  /// Set the largest value.
  void add(const Maximum & bound) { maximum = bound.value; }
  /// Make it read-only.
  void add(ReadOnly) { read_only = true; }
};

/// A range in words, such as "from 0.0 to 1.0" or "at least 1"; empty if there is none.
std::string range_text(const ParameterLimits & limits);

/// A parameter as hosts see it.
class ParameterBase
{
public:
  virtual ~ParameterBase() = default;
  ParameterBase(const ParameterBase &) = delete;
  ParameterBase & operator=(const ParameterBase &) = delete;

  /// \return the ROS name, such as "gain" or "limits.speed"
  const std::string & name() const { return name_; }

  /// \return what the value means and its unit
  const std::string & description() const { return description_; }

  /// \return the value where none is given
  const ParameterValue & default_value() const { return default_; }

  /// \return its range, and whether it is read-only
  const ParameterLimits & limits() const { return limits_; }

  /// Why a value is out of the parameter's range. NaN is in no range.
  /// \param value of the parameter's type
  /// \return a predicate such as "must be from 0.0 to 1.0, not 2.0"; empty if the value is in range
  std::string range_objection(const ParameterValue & value) const;

  /// Hosts and tests set the value, and call Component::on_parameters_changed after one or several.
  /// \param value in the parameter's range
  /// \throws std::bad_variant_access if the value is of another type than the default
  virtual void set(const ParameterValue & value) = 0;

protected:
  /// \throws std::invalid_argument if the default is out of range, or the type has no such range
  ParameterBase(
    Component & owner, std::string name, ParameterValue default_value, std::string description,
    ParameterLimits limits);

private:
  std::string name_;
  std::string description_;
  ParameterValue default_;
  ParameterLimits limits_;
};

/// A value that is set from outside, before and during a run; it never changes within a callback.
/// \code
/// Parameter<double> gain{this, "gain", 0.5, "share of the new value", Minimum{0.0}, Maximum{1.0}};
/// Parameter<std::int64_t> size{this, "size", 10, "of the window", Minimum{1}, READ_ONLY};
/// \endcode
template <typename T>
class Parameter : public ParameterBase
{
  static_assert(
    std::is_constructible_v<ParameterValue, std::in_place_type_t<T>>,
    "a parameter is a bool, std::int64_t, double, std::string or std::vector of one of these");

public:
  /// \param owner the component: `this`
  /// \param name the ROS name; levels are separated by dots
  /// \param default_value the value where none is given
  /// \param description what the value means and its unit, for `ros2 param describe`
  /// \param limits any of Minimum, Maximum and READ_ONLY
  /// \throws std::invalid_argument if the default is out of range, or the type has no such range
  template <typename... Limits>
  Parameter(
    Component * owner, std::string name, T default_value, std::string description = {},
    const Limits &... limits)
  : ParameterBase(
      *owner, std::move(name), ParameterValue(std::in_place_type<T>, default_value),
      std::move(description), collect(limits...)),
    value_(std::move(default_value))
  {
  }

  /// \return the current value
  const T & value() const { return value_; }

  /// \return the current value, so that a parameter stands in an expression by its name
  operator const T &() const { return value_; }

  void set(const ParameterValue & value) override { value_ = std::get<T>(value); }

private:
  template <typename... Limits>
  static ParameterLimits collect(const Limits &... limits)
  {
    ParameterLimits collected;
    (collected.add(limits), ...);
    return collected;
  }

  T value_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__PARAMETER_HPP_
