#include "direct_host.hpp"

#include <csignal>
#include <cstdint>
#include <memory>

#include "direct_run.hpp"
#include "errors.hpp"
#include "frame_reader.hpp"
#include "frame_writer.hpp"
#include "lockstep/contract.hpp"
#include "lockstep/registration.hpp"
#include "log.hpp"
#include "rcutils/logging.h"
#include "standard_streams.hpp"

namespace lockstep
{

namespace
{

void set_log_levels(const std::vector<std::pair<std::string, int>> & log_levels)
{
  for (const auto & [logger, level] : log_levels) {
    if (rcutils_logging_set_logger_level(logger.c_str(), level) != RCUTILS_RET_OK) {
      throw UsageError(take_rcl_error());
    }
  }
}

std::unique_ptr<Component> make_logging(const std::string & class_name, const std::string & logger)
{
  std::unique_ptr<Component> component = make_component(class_name);
  component->logger.connect(
    [logger](Severity severity, const std::string & text) { log(logger.c_str(), severity, text); });
  return component;
}

}  // namespace

void run_directly(
  const std::string & class_name, const std::string & logger,
  const std::vector<std::pair<std::string, int>> & log_levels)
{
  FrameReader reader(take_standard_input());
  FrameWriter writer(take_standard_output());
  std::signal(SIGPIPE, SIG_IGN);  // writing fails instead, and the writer tells
  set_log_levels(log_levels);

  std::unique_ptr<Component> component = make_logging(class_name, logger);
  const std::string contract = to_json(contract_of(class_name, *component));
  writer.send(
    {FrameKind::contract, 0, 0, 0, static_cast<std::uint32_t>(contract.size())}, contract.data());
  writer.flush();

  DirectRun(*component, reader, writer).run();
  while (!reader.at_end()) {
    component = make_logging(class_name, logger);
    DirectRun(*component, reader, writer).run();
  }
}

}  // namespace lockstep
