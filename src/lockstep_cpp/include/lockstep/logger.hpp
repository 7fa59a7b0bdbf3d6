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
  /// Where lines go.
  using Sink = std::function<void(Severity severity, const std::string & text)>;

  /// Log what only somebody who looks for a fault wants to read.
  /// \param text one line, without a line end
  void debug(const std::string & text) const { log(Severity::debug, text); }

  /// Log what is as it should be.
  /// \param text one line, without a line end
  void info(const std::string & text) const { log(Severity::info, text); }

  /// Log what may be wrong.
  /// \param text one line, without a line end
  void warning(const std::string & text) const { log(Severity::warning, text); }

  /// Log what is wrong, though the component goes on.
  /// \param text one line, without a line end
  void error(const std::string & text) const { log(Severity::error, text); }

  /// Send every line from now on to another place, as hosts and tests do.
  /// \param sink is called with each line
  void connect(Sink sink) { sink_ = std::move(sink); }

private:
  void log(Severity severity, const std::string & text) const;

  Sink sink_;
};

}  // namespace lockstep

#endif  // LOCKSTEP__LOGGER_HPP_
