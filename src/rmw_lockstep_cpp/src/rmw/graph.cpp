/// What nodes can ask about the graph: this process, others, and the topics of the harness.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../process/real.hpp"
#include "endpoints.hpp"
#include "nodes.hpp"
#include "rcutils/strdup.h"
#include "rmw/get_node_info_and_types.h"
#include "rmw/get_service_names_and_types.h"
#include "rmw/get_topic_endpoint_info.h"
#include "rmw/get_topic_names_and_types.h"
#include "rmw/names_and_types.h"
#include "rmw/rmw.h"
#include "rmw/topic_endpoint_info_array.h"

using namespace rmw_lockstep;

namespace rmw_lockstep
{

std::vector<Endpoint> endpoints(EntityKind kind)
{
  std::vector<Endpoint> result;
  for (const Entity * entity : run().entities.all()) {
    if (entity->kind == kind) {
      result.push_back(*entity);
    }
  }
  for (const auto & [number, peer] : run().peers) {
    if (peer.kind == kind) {
      result.push_back(peer);
    }
  }
  if (kind == EntityKind::publisher) {
    for (const InputTopic & topic : run().inputs) {
      Endpoint endpoint;
      endpoint.name = topic.name;
      endpoint.type = topic.type;
      endpoint.node = HARNESS;
      endpoint.qos = actual_qos(rmw_qos_profile_t{});
      endpoint.qos.depth = std::max<std::size_t>(1, topic.latched_depth);
      endpoint.qos.durability = topic.latched_depth > 0 ? RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL
                                                        : RMW_QOS_POLICY_DURABILITY_VOLATILE;
      result.push_back(endpoint);
    }
  }
  return result;
}

}  // namespace rmw_lockstep

namespace
{

/// The nodes of this process, and of others.
std::vector<std::string> all_node_names()
{
  std::vector<std::string> names = node_names();
  std::set<std::pair<std::uint16_t, std::string>> others;
  for (const auto & [number, peer] : run().peers) {
    if (others.insert({peer.process, peer.node}).second) {
      names.push_back(peer.node);
    }
  }
  return names;
}

rmw_ret_t names_and_types(
  const std::vector<EntityKind> & kinds, const std::string * node, rcutils_allocator_t * allocator,
  rmw_names_and_types_t * result)
{
  std::map<std::string, std::set<std::string>> found;
  {
    const Turn turn;
    const auto names = all_node_names();
    if (
      node != nullptr && *node != HARNESS &&
      std::find(names.begin(), names.end(), *node) == names.end()) {
      return RMW_RET_NODE_NAME_NON_EXISTENT;
    }
    for (const EntityKind kind : kinds) {
      for (const Endpoint & endpoint : endpoints(kind)) {
        if (node == nullptr || endpoint.node == *node) {
          found[endpoint.name].insert(endpoint.type);
        }
      }
    }
  }
  if (found.empty()) {
    return RMW_RET_OK;
  }
  const rmw_ret_t made = rmw_names_and_types_init(result, found.size(), allocator);
  if (made != RMW_RET_OK) {
    return made;
  }
  std::size_t i = 0;
  for (const auto & [name, types] : found) {
    result->names.data[i] = rcutils_strdup(name.c_str(), *allocator);
    if (rcutils_string_array_init(&result->types[i], types.size(), allocator) != RCUTILS_RET_OK) {
      return RMW_RET_BAD_ALLOC;
    }
    std::size_t j = 0;
    for (const std::string & type : types) {
      result->types[i].data[j++] = rcutils_strdup(type.c_str(), *allocator);
    }
    ++i;
  }
  return RMW_RET_OK;
}

std::size_t count(EntityKind kind, const char * name)
{
  const Turn turn;
  const std::vector<Endpoint> all = endpoints(kind);
  return static_cast<std::size_t>(std::count_if(
    all.begin(), all.end(), [name](const Endpoint & endpoint) { return endpoint.name == name; }));
}

std::pair<std::string, std::string> split(const std::string & node)
{
  const std::size_t slash = node.rfind('/');
  return {slash == 0 ? "/" : node.substr(0, slash), node.substr(slash + 1)};
}

rmw_ret_t infos(
  EntityKind kind, rcutils_allocator_t * allocator, const char * topic,
  rmw_topic_endpoint_info_array_t * result)
{
  std::vector<Endpoint> found;
  {
    const Turn turn;
    for (const Endpoint & endpoint : endpoints(kind)) {
      if (endpoint.name == topic) {
        found.push_back(endpoint);
      }
    }
  }
  rmw_ret_t status = rmw_topic_endpoint_info_array_init_with_size(result, found.size(), allocator);
  for (std::size_t i = 0; i < found.size() && status == RMW_RET_OK; ++i) {
    const Endpoint & endpoint = found[i];
    rmw_topic_endpoint_info_t & info = result->info_array[i];
    info = rmw_get_zero_initialized_topic_endpoint_info();
    const auto [name_space, name] = split(endpoint.node);
    const Gid gid = gid_of(endpoint);
    const rmw_endpoint_type_t type =
      kind == EntityKind::publisher ? RMW_ENDPOINT_PUBLISHER : RMW_ENDPOINT_SUBSCRIPTION;
    for (const rmw_ret_t each :
         {rmw_topic_endpoint_info_set_node_name(&info, name.c_str(), allocator),
          rmw_topic_endpoint_info_set_node_namespace(&info, name_space.c_str(), allocator),
          rmw_topic_endpoint_info_set_topic_type(&info, endpoint.type.c_str(), allocator),
          rmw_topic_endpoint_info_set_topic_type_hash(&info, &endpoint.type_hash),
          rmw_topic_endpoint_info_set_endpoint_type(&info, type),
          rmw_topic_endpoint_info_set_gid(&info, gid.data(), gid.size()),
          rmw_topic_endpoint_info_set_qos_profile(&info, &endpoint.qos)}) {
      status = each != RMW_RET_OK ? each : status;
    }
  }
  return status;
}

}  // namespace

REPLACE rmw_ret_t rmw_count_publishers(const rmw_node_t *, const char * topic, size_t * result)
{
  *result = count(EntityKind::publisher, topic);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_count_subscribers(const rmw_node_t *, const char * topic, size_t * result)
{
  *result = count(EntityKind::subscription, topic);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_count_clients(const rmw_node_t *, const char * service, size_t * result)
{
  *result = count(EntityKind::client, service);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_count_services(const rmw_node_t *, const char * service, size_t * result)
{
  *result = count(EntityKind::service, service);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_get_node_names_with_enclaves(
  const rmw_node_t *, rcutils_string_array_t * names, rcutils_string_array_t * name_spaces,
  rcutils_string_array_t * enclaves)
{
  std::vector<std::string> all;
  {
    const Turn turn;
    all = all_node_names();
  }
  const rcutils_allocator_t allocator = rcutils_get_default_allocator();
  for (rcutils_string_array_t * array : {names, name_spaces, enclaves}) {
    if (
      array != nullptr &&
      rcutils_string_array_init(array, all.size(), &allocator) != RCUTILS_RET_OK) {
      return RMW_RET_BAD_ALLOC;
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto [name_space, name] = split(all[i]);
    names->data[i] = rcutils_strdup(name.c_str(), allocator);
    name_spaces->data[i] = rcutils_strdup(name_space.c_str(), allocator);
    if (enclaves != nullptr) {
      enclaves->data[i] = rcutils_strdup("/", allocator);
    }
  }
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_get_node_names(
  const rmw_node_t * node, rcutils_string_array_t * names, rcutils_string_array_t * name_spaces)
{
  return rmw_get_node_names_with_enclaves(node, names, name_spaces, nullptr);
}

REPLACE rmw_ret_t rmw_get_topic_names_and_types(
  const rmw_node_t *, rcutils_allocator_t * allocator, bool, rmw_names_and_types_t * result)
{
  return names_and_types(
    {EntityKind::publisher, EntityKind::subscription}, nullptr, allocator, result);
}

REPLACE rmw_ret_t rmw_get_service_names_and_types(
  const rmw_node_t *, rcutils_allocator_t * allocator, rmw_names_and_types_t * result)
{
  return names_and_types({EntityKind::service}, nullptr, allocator, result);
}

REPLACE rmw_ret_t rmw_get_publisher_names_and_types_by_node(
  const rmw_node_t *, rcutils_allocator_t * allocator, const char * name, const char * name_space,
  bool, rmw_names_and_types_t * result)
{
  const std::string node = full_name(name_space, name);
  return names_and_types({EntityKind::publisher}, &node, allocator, result);
}

REPLACE rmw_ret_t rmw_get_subscriber_names_and_types_by_node(
  const rmw_node_t *, rcutils_allocator_t * allocator, const char * name, const char * name_space,
  bool, rmw_names_and_types_t * result)
{
  const std::string node = full_name(name_space, name);
  return names_and_types({EntityKind::subscription}, &node, allocator, result);
}

REPLACE rmw_ret_t rmw_get_service_names_and_types_by_node(
  const rmw_node_t *, rcutils_allocator_t * allocator, const char * name, const char * name_space,
  rmw_names_and_types_t * result)
{
  const std::string node = full_name(name_space, name);
  return names_and_types({EntityKind::service}, &node, allocator, result);
}

REPLACE rmw_ret_t rmw_get_client_names_and_types_by_node(
  const rmw_node_t *, rcutils_allocator_t * allocator, const char * name, const char * name_space,
  rmw_names_and_types_t * result)
{
  const std::string node = full_name(name_space, name);
  return names_and_types({EntityKind::client}, &node, allocator, result);
}

REPLACE rmw_ret_t rmw_get_publishers_info_by_topic(
  const rmw_node_t *, rcutils_allocator_t * allocator, const char * topic, bool,
  rmw_topic_endpoint_info_array_t * result)
{
  return infos(EntityKind::publisher, allocator, topic, result);
}

REPLACE rmw_ret_t rmw_get_subscriptions_info_by_topic(
  const rmw_node_t *, rcutils_allocator_t * allocator, const char * topic, bool,
  rmw_topic_endpoint_info_array_t * result)
{
  return infos(EntityKind::subscription, allocator, topic, result);
}

REPLACE rmw_ret_t rmw_qos_profile_check_compatible(
  const rmw_qos_profile_t publisher, const rmw_qos_profile_t subscription,
  rmw_qos_compatibility_type_t * compatibility, char * reason, size_t size)
{
  if (reason != nullptr && size > 0) {
    *reason = 0;
  }
  const bool is_unreliable = publisher.reliability == RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT &&
                             subscription.reliability == RMW_QOS_POLICY_RELIABILITY_RELIABLE;
  const bool is_volatile = publisher.durability == RMW_QOS_POLICY_DURABILITY_VOLATILE &&
                           subscription.durability == RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL;
  *compatibility =
    is_unreliable || is_volatile ? RMW_QOS_COMPATIBILITY_ERROR : RMW_QOS_COMPATIBILITY_OK;
  return RMW_RET_OK;
}
