#ifndef LOCKSTEP__REGISTRATION_HPP_
#define LOCKSTEP__REGISTRATION_HPP_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lockstep/component.hpp"

namespace lockstep
{

/// Makes a new component.
using ComponentFactory = std::function<std::unique_ptr<Component>()>;

/// A class of components, known by its name without namespace as long as its library is loaded.
class Registration
{
public:
  /// \param class_name the class, with or without its namespace
  /// \param factory makes a new object of it
  Registration(const std::string & class_name, ComponentFactory factory);
  ~Registration();
  Registration(const Registration &) = delete;
  Registration & operator=(const Registration &) = delete;

  /// \return what makes a new object of the class
  const ComponentFactory & factory() const { return factory_; }

private:
  std::string name_;
  ComponentFactory factory_;
};

/// A new component of a registered class; the namespace may be left out.
/// \throws std::invalid_argument if no loaded library has registered the class, or several have
std::unique_ptr<Component> make_component(const std::string & class_name);

/// The names of all registered classes, without namespace, in alphabetical order.
std::vector<std::string> registered_components();

/// The class name without its namespace: "demo::ImuFilter" is "ImuFilter".
std::string unqualified(const std::string & class_name);

/// The default name of a component's node: "ImuComplementaryFilter" is "imu_complementary_filter".
std::string snake_case(const std::string & class_name);

}  // namespace lockstep

/// Make a class of components known to the programs that load its library. Once per source file.
#define LOCKSTEP_COMPONENT(Class)                              \
  static const ::lockstep::Registration lockstep_registration( \
    #Class, [] { return ::std::unique_ptr<::lockstep::Component>(::std::make_unique<Class>()); });

#endif  // LOCKSTEP__REGISTRATION_HPP_
