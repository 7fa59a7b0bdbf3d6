#ifndef LOCKSTEP__LOGGER_HPP_
#define LOCKSTEP__LOGGER_HPP_

#include <functional>
#include <string>
#include <utility>

namespace lockstep
{

/// How serious a log line is. The values are those of rcl_interfaces/msg/Log.
enum class Severity
{
  debug = 10,
  info = 20,
  warning = 30,
  error = 40,
  fatal = 50
};

/// The component's log. A host sends it to the node's ROS logger; without a host it goes to stderr.
class Logger
{
public:
  using Sink = std::function<void(Severity severity, const std::string & text)>;

  void debug(const std::string & text) const { log(Severity::debug, text); }
  void info(const std::string & text) const { log(Severity::info, text); }
  void warning(const std::string & text) const { log(Severity::warning, text); }
  void error(const std::string & text) const { log(Severity::error, text); }

  /// Send every line from now on to `sink`.
  void connect(Sink sink) { sink_ = std::move(sink); }

private:
  void log(Severity severity, const std::string & text) const;

  Sink sink_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__LOGGER_HPP_
