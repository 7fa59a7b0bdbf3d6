#include "lockstep/host.hpp"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>

#include "arguments.hpp"
#include "clock.hpp"
#include "context.hpp"
#include "free_run.hpp"
#include "host/direct_run.hpp"
#include "lockstep/contract.hpp"
#include "lockstep/host/errors.hpp"
#include "lockstep/host/events.hpp"
#include "lockstep/host/execution.hpp"
#include "lockstep/registration.hpp"
#include "lockstep_run.hpp"
#include "node.hpp"
#include "parameters.hpp"
#include "ports.hpp"
#include "services.hpp"
#include "stop_signal.hpp"
#include "wait_set.hpp"

namespace lockstep
{

namespace
{

constexpr int OK = 0;
constexpr int BAD_USAGE = 2;
constexpr int RUN_FAILED = 3;

void declare_use_sim_time(
  Parameters & parameters, Clock & clock, Execution & execution, bool lockstep)
{
  parameters.declare(
    {"use_sim_time", "", false, false, [&, lockstep](const ParameterValue & value) {
       const bool enabled = std::get<bool>(value);
       if (enabled == clock.sim_time()) {
         return;
       }
       clock.use_sim_time(enabled);
       // In lockstep the time is that of the steps, whatever the ROS clock.
       if (!lockstep) {
         execution.restart();
       }
     }});
}

void declare_type_description_service(Parameters & parameters, Services & services, Node & node)
{
  parameters.declare(
    {"start_type_description_service", "If enabled, start the ~/get_type_description service.",
     true, true, [&](const ParameterValue & value) {
       if (std::get<bool>(value)) {
         services.add(std::make_unique<TypeDescriptionService>(node));
       }
     }});
}

/// Run the component as a node until a stop is requested.
void run_node(Context & context, Node & node, Component & component, bool lockstep)
{
  const StopSignal stop(context);
  Execution execution(component, stop.requested());
  Clock clock(node);
  Parameters parameters(
    node, context,
    [&clock, &execution, lockstep] { return lockstep ? execution.now_ns() : clock.now_ns(); },
    [&execution] { execution.parameters_changed(); });
  Services services;
  declare_use_sim_time(parameters, clock, execution, lockstep);
  declare_type_description_service(parameters, services, node);
  for (ParameterBase * parameter : component.parameters()) {
    parameters.declare(*parameter);
  }
  parameters.serve(services);
  // The inputs and /clock, or the inputs and the steps.
  const std::size_t subscriptions = component.inputs().size() + 1;
  if (lockstep) {
    Ports ports(node, component);
    WaitSet wait_set(context, subscriptions, 1, services.size());
    LockstepRun(node, component, ports, execution, services, stop, wait_set).run();
  } else {
    Ports ports(node, component, services, [&clock, &execution](InputPort & port) {
      clock.update();
      execution.advance(clock.now_ns());
      execution.deliver(port);
    });
    WaitSet wait_set(context, subscriptions, 1, services.size());
    FreeRun(component, ports, clock, execution, services, stop, wait_set).run();
  }
}

/// Run the component as a node and report what went wrong through its logger.
int host(
  int argc, char ** argv, const std::string & node_name, Component & component, bool lockstep)
{
  block_stop_signals();
  Context context(argc, argv);
  Node node(context, node_name);
  component.logger.connect(node.log_sink());
  try {
    run_node(context, node, component, lockstep);
  } catch (const Stopped &) {
    return OK;
  } catch (const UsageError &) {
    throw;
  } catch (const std::exception & error) {
    tell_error(error, one_line(error.what()));
    node.log(Severity::fatal, node.name() + ": " + one_line(error.what()));
    return RUN_FAILED;
  }
  return OK;
}

}  // namespace

int host_main(int argc, char ** argv, const std::string & class_name)
{
  const std::string component_name = unqualified(class_name);
  const std::string node_name = snake_case(component_name);
  try {
    const Arguments arguments = parse_arguments(argc, argv);
    if (arguments.help) {
      const std::string program = std::filesystem::path(argv[0]).filename();
      std::fputs(usage(program, component_name).c_str(), stdout);
      return OK;
    }
    if (arguments.direct && !arguments.contract) {
      serve_direct_runs(component_name, node_name, arguments.log_levels);
      return OK;
    }
    const std::unique_ptr<Component> component = make_component(component_name);
    if (arguments.contract) {
      std::puts(to_json(contract_of(component_name, *component)).c_str());
      return OK;
    }
    return host(argc, argv, node_name, *component, arguments.lockstep);
  } catch (const Stopped &) {  // nobody is left who could be told
    return RUN_FAILED;
  } catch (const UsageError & error) {
    tell_error(error, error.what());
    std::fprintf(stderr, "%s: %s\n", node_name.c_str(), error.what());
    return BAD_USAGE;
  } catch (const std::exception & error) {
    tell_error(error, one_line(error.what()));
    std::fprintf(stderr, "%s: %s\n", node_name.c_str(), one_line(error.what()).c_str());
    return RUN_FAILED;
  }
}

}  // namespace lockstep
