#include "lockstep/contract.hpp"

#include <string>
#include <vector>

#include "json.hpp"

namespace lockstep
{

namespace
{

PortContract contract_of_port(const Port & port)
{
  return {port.name(), port.topic(), port.type(), port.type_hash(), port.qos()};
}

void write_ports(JsonWriter & json, const char * key, const std::vector<PortContract> & ports)
{
  json.key(key).begin_array();
  for (const PortContract & port : ports) {
    json.begin_object();
    json.key("name").value(port.name);
    json.key("topic").value(port.topic);
    json.key("type").value(port.type);
    json.key("type_hash").value(port.type_hash);
    json.key("qos").begin_object();
    json.key("reliability").value(std::string(to_string(port.qos.reliability)));
    json.key("durability").value(std::string(to_string(port.qos.durability)));
    json.key("depth").value(static_cast<std::int64_t>(port.qos.depth));
    json.end_object();
    json.end_object();
  }
  json.end_array();
}

}  // namespace

Contract contract_of(const std::string & class_name, const Component & component)
{
  Contract contract;
  contract.component = class_name;
  for (const InputPort * input : component.inputs()) {
    contract.inputs.push_back(contract_of_port(*input));
  }
  for (const OutputPort * output : component.outputs()) {
    contract.outputs.push_back(contract_of_port(*output));
  }
  for (const ParameterBase * parameter : component.parameters()) {
    contract.parameters.push_back(
      {parameter->name(), parameter->default_value(), parameter->description(),
       parameter->limits()});
  }
  for (const Timer * timer : component.timers()) {
    contract.timers.push_back({timer->name(), timer->period_ns()});
  }
  return contract;
}

std::string to_json(const Contract & contract)
{
  JsonWriter json;
  json.begin_object();
  json.key("contract").value(CONTRACT_VERSION);
  json.key("component").value(contract.component);
  write_ports(json, "inputs", contract.inputs);
  write_ports(json, "outputs", contract.outputs);
  json.key("parameters").begin_array();
  for (const ParameterContract & parameter : contract.parameters) {
    json.begin_object();
    json.key("name").value(parameter.name);
    json.key("type").value(std::string(type_name(parameter.default_value)));
    json.key("default").value(parameter.default_value);
    json.key("description").value(parameter.description);
    json.key("minimum").value(parameter.limits.minimum);
    json.key("maximum").value(parameter.limits.maximum);
    json.key("read_only").value(parameter.limits.read_only);
    json.end_object();
  }
  json.end_array();
  json.key("timers").begin_array();
  for (const TimerContract & timer : contract.timers) {
    json.begin_object();
    json.key("name").value(timer.name);
    json.key("period_ns").value(timer.period_ns);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.text();
}

}  // namespace lockstep
