#ifndef LOCKSTEP__PARAMETER_HPP_
#define LOCKSTEP__PARAMETER_HPP_

#include <cstdint>
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

/// A parameter as hosts see it.
class ParameterBase
{
public:
  virtual ~ParameterBase() = default;
  ParameterBase(const ParameterBase &) = delete;
  ParameterBase & operator=(const ParameterBase &) = delete;

  const std::string & name() const { return name_; }
  const std::string & description() const { return description_; }
  const ParameterValue & default_value() const { return default_; }

  /// \throws std::bad_variant_access if the value is of another type than the default
  virtual void set(const ParameterValue & value) = 0;

protected:
  ParameterBase(
    Component & owner, std::string name, ParameterValue default_value, std::string description);

private:
  std::string name_;
  std::string description_;
  ParameterValue default_;
};

/// A value that is set from outside, before and during a run; it never changes within a callback.
template <typename T>
class Parameter : public ParameterBase
{
  static_assert(
    std::is_constructible_v<ParameterValue, std::in_place_type_t<T>>,
    "a parameter is a bool, std::int64_t, double, std::string or std::vector of one of these");

public:
  Parameter(Component * owner, std::string name, T default_value, std::string description = {})
  : ParameterBase(
      *owner, std::move(name), ParameterValue(std::in_place_type<T>, default_value),
      std::move(description)),
    value_(std::move(default_value))
  {
  }

  const T & value() const { return value_; }
  operator const T &() const { return value_; }

  void set(const ParameterValue & value) override { value_ = std::get<T>(value); }

private:
  T value_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__PARAMETER_HPP_
