/// Services and their clients.

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "../process/passing_time.hpp"
#include "../process/real.hpp"
#include "endpoints.hpp"
#include "rmw/allocators.h"
#include "rmw/error_handling.h"
#include "rmw/rmw.h"

using namespace rmw_lockstep;

namespace
{

std::unique_ptr<ServiceEndpoint> make_endpoint(
  EntityKind kind, const rmw_node_t * node, const rosidl_service_type_support_t * type_support,
  const char * name, const rmw_qos_profile_t * qos)
{
  auto known = std::make_unique<ServiceEndpoint>();
  if (!callbacks_of(type_support, known->callbacks)) {
    return nullptr;
  }
  known->kind = kind;
  known->name = name;
  known->type = known->callbacks.type;
  known->type_hash = *type_support->get_type_hash_func(type_support);
  known->node = node_of(node).name;
  known->qos = actual_qos(*qos);
  known->qos.history = RMW_QOS_POLICY_HISTORY_KEEP_ALL;  // no request is lost
  return known;
}

bool serves(const Endpoint & endpoint, const Endpoint & client)
{
  return endpoint.kind == EntityKind::service && endpoint.name == client.name &&
         endpoint.type == client.type;
}

/// The service of this process that a request goes to; null if there is none.
Entity * service_of(const Endpoint & client)
{
  for (Entity * entity : run().entities.all()) {
    if (serves(*entity, client)) {
      return entity;
    }
  }
  return nullptr;
}

/// Whether another process serves a client.
bool has_peer(const Endpoint & client)
{
  const auto & peers = run().peers;
  return std::any_of(peers.begin(), peers.end(), [&client](const auto & peer) {
    return serves(peer.second, client);
  });
}

/// To the harness, which hands it on.
void send_on(lockstep::FrameKind kind, const Endpoint & sender, const Message & message)
{
  std::vector<std::uint8_t> framed(REQUEST_HEAD);
  std::memcpy(framed.data(), message.gid.data(), message.gid.size());
  std::memcpy(&framed[message.gid.size()], &message.sequence, sizeof message.sequence);
  framed.insert(framed.end(), message.payload->begin(), message.payload->end());
  send(kind, sender.id, framed.data(), framed.size());
}

/// The client of this process that a response goes to; null if it is not here.
Entity * client_of(const Gid & gid)
{
  for (Entity * entity : run().entities.all()) {
    if (entity->kind == EntityKind::client && gid_of(*entity) == gid) {
      return entity;
    }
  }
  return nullptr;
}

bool make_message(const MessageCallbacks & callbacks, const void * content, Message & message)
{
  std::vector<std::uint8_t> bytes;
  if (!serialize(callbacks, content, bytes)) {
    return false;
  }
  message.payload = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  return true;
}

rmw_ret_t take(
  ServiceEndpoint & known, const MessageCallbacks & callbacks, rmw_service_info_t * info,
  void * content, bool * taken)
{
  Message message;
  {
    Turn turn;
    *taken = run().entities.take(known, message);
    if (*taken) {
      spend_cost(turn.held);
    }
  }
  if (!*taken) {
    return RMW_RET_OK;
  }
  info->source_timestamp = message.sent_ns;
  info->received_timestamp = message.received_ns;
  info->request_id.sequence_number = message.sequence;
  std::memcpy(info->request_id.writer_guid, message.gid.data(), message.gid.size());
  const auto & bytes = *message.payload;
  return deserialize(callbacks, bytes.data(), bytes.size(), content) ? RMW_RET_OK : RMW_RET_ERROR;
}

}  // namespace

REPLACE rmw_service_t * rmw_create_service(
  const rmw_node_t * node, const rosidl_service_type_support_t * type_support, const char * name,
  const rmw_qos_profile_t * qos)
{
  auto known = make_endpoint(EntityKind::service, node, type_support, name, qos);
  if (known == nullptr) {
    return nullptr;
  }
  rmw_service_t * service = rmw_service_allocate();
  service->implementation_identifier = IDENTIFIER;
  service->service_name = known->name.c_str();
  Turn turn;
  register_entity(turn, *known);
  service->data = static_cast<Entity *>(known.release());
  return service;
}

REPLACE rmw_ret_t rmw_destroy_service(rmw_node_t *, rmw_service_t * service)
{
  const std::unique_ptr<ServiceEndpoint> known(&endpoint_of(service));
  Turn turn;
  unregister_entity(turn, *known);
  rmw_service_free(service);
  return RMW_RET_OK;
}

REPLACE rmw_client_t * rmw_create_client(
  const rmw_node_t * node, const rosidl_service_type_support_t * type_support, const char * name,
  const rmw_qos_profile_t * qos)
{
  auto known = make_endpoint(EntityKind::client, node, type_support, name, qos);
  if (known == nullptr) {
    return nullptr;
  }
  rmw_client_t * client = rmw_client_allocate();
  client->implementation_identifier = IDENTIFIER;
  client->service_name = known->name.c_str();
  Turn turn;
  register_entity(turn, *known);
  client->data = static_cast<Entity *>(known.release());
  return client;
}

REPLACE rmw_ret_t rmw_destroy_client(rmw_node_t *, rmw_client_t * client)
{
  const std::unique_ptr<ServiceEndpoint> known(&endpoint_of(client));
  Turn turn;
  unregister_entity(turn, *known);
  rmw_client_free(client);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t
rmw_send_request(const rmw_client_t * client, const void * request, int64_t * sequence)
{
  ServiceEndpoint & known = endpoint_of(client);
  Message message;
  if (!make_message(*known.callbacks.request, request, message)) {
    return RMW_RET_ERROR;
  }
  Turn turn;
  message.gid = gid_of(known);
  message.sequence = *sequence = ++known.asked;
  message.sent_ns = run().clock.now_ns();
  if (Entity * service = service_of(known)) {
    deliver(turn.held, *service, message);
  } else if (has_peer(known)) {
    send_on(lockstep::FrameKind::asked, known, message);
  } else {
    ++known.dropped;
  }
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_take_request(
  const rmw_service_t * service, rmw_service_info_t * info, void * request, bool * taken)
{
  ServiceEndpoint & known = endpoint_of(service);
  return take(known, *known.callbacks.request, info, request, taken);
}

REPLACE rmw_ret_t
rmw_send_response(const rmw_service_t * service, rmw_request_id_t * id, void * response)
{
  ServiceEndpoint & known = endpoint_of(service);
  Message message;
  if (!make_message(*known.callbacks.response, response, message)) {
    return RMW_RET_ERROR;
  }
  Turn turn;
  std::memcpy(message.gid.data(), id->writer_guid, message.gid.size());
  message.sequence = id->sequence_number;
  message.sent_ns = run().clock.now_ns();
  if (Entity * client = client_of(message.gid)) {
    deliver(turn.held, *client, message);
    return RMW_RET_OK;
  }
  send_on(lockstep::FrameKind::response, known, message);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_take_response(
  const rmw_client_t * client, rmw_service_info_t * info, void * response, bool * taken)
{
  ServiceEndpoint & known = endpoint_of(client);
  return take(known, *known.callbacks.response, info, response, taken);
}

REPLACE rmw_ret_t rmw_service_server_is_available(
  const rmw_node_t *, const rmw_client_t * client, bool * is_available)
{
  const Turn turn;
  const Endpoint & known = endpoint_of(client);
  *is_available = service_of(known) != nullptr || has_peer(known);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t
rmw_client_request_publisher_get_actual_qos(const rmw_client_t * client, rmw_qos_profile_t * qos)
{
  *qos = endpoint_of(client).qos;
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_client_response_subscription_get_actual_qos(
  const rmw_client_t * client, rmw_qos_profile_t * qos)
{
  *qos = endpoint_of(client).qos;
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_service_request_subscription_get_actual_qos(
  const rmw_service_t * service, rmw_qos_profile_t * qos)
{
  *qos = endpoint_of(service).qos;
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_service_response_publisher_get_actual_qos(
  const rmw_service_t * service, rmw_qos_profile_t * qos)
{
  *qos = endpoint_of(service).qos;
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_client_set_on_new_response_callback(
  rmw_client_t * client, rmw_event_callback_t call, const void * user_data)
{
  set_on_new(endpoint_of(client), call, user_data);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_service_set_on_new_request_callback(
  rmw_service_t * service, rmw_event_callback_t call, const void * user_data)
{
  set_on_new(endpoint_of(service), call, user_data);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_get_gid_for_client(const rmw_client_t * client, rmw_gid_t * gid)
{
  const Gid known = gid_of(endpoint_of(client));
  gid->implementation_identifier = IDENTIFIER;
  std::memcpy(gid->data, known.data(), known.size());
  return RMW_RET_OK;
}
