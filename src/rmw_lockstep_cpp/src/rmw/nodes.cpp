/// Nodes and guard conditions.

#include "nodes.hpp"

#include <algorithm>
#include <memory>

#include "../process/real.hpp"
#include "endpoints.hpp"
#include "rcutils/strdup.h"
#include "rmw/allocators.h"
#include "rmw/rmw.h"

using namespace rmw_lockstep;

namespace rmw_lockstep
{

std::vector<std::string> & node_names()
{
  static auto * names = new std::vector<std::string>;
  return *names;
}

}  // namespace rmw_lockstep

namespace
{

GuardCondition & guard_of(const rmw_guard_condition_t * guard)
{
  return *static_cast<GuardCondition *>(guard->data);
}

char * copy(const char * text) { return rcutils_strdup(text, rcutils_get_default_allocator()); }

void free_text(const char * text)
{
  rcutils_get_default_allocator().deallocate(const_cast<char *>(text), nullptr);
}

}  // namespace

REPLACE rmw_guard_condition_t * rmw_create_guard_condition(rmw_context_t * context)
{
  rmw_guard_condition_t * guard = rmw_guard_condition_allocate();
  guard->implementation_identifier = IDENTIFIER;
  guard->data = new GuardCondition;
  guard->context = context;
  return guard;
}

REPLACE rmw_ret_t rmw_destroy_guard_condition(rmw_guard_condition_t * guard)
{
  delete &guard_of(guard);
  rmw_guard_condition_free(guard);
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_trigger_guard_condition(const rmw_guard_condition_t * guard)
{
  trigger(guard_of(guard));
  return RMW_RET_OK;
}

REPLACE rmw_node_t * rmw_create_node(
  rmw_context_t * context, const char * name, const char * name_space)
{
  auto known =
    std::make_unique<Node>(Node{full_name(name_space, name), rmw_create_guard_condition(context)});
  rmw_node_t * node = rmw_node_allocate();
  node->implementation_identifier = IDENTIFIER;
  node->name = copy(name);
  node->namespace_ = copy(name_space);
  node->context = context;
  Turn turn;
  run().entities.add_graph_guard(guard_of(known->graph_changed));
  node_names().push_back(known->name);
  node->data = known.release();
  graph_has_changed();
  return node;
}

REPLACE rmw_ret_t rmw_destroy_node(rmw_node_t * node)
{
  const std::unique_ptr<Node> known(&node_of(node));
  {
    Turn turn;
    run().entities.remove_graph_guard(guard_of(known->graph_changed));
    auto & names = node_names();
    names.erase(std::find(names.begin(), names.end(), known->name));
    graph_has_changed();
  }
  free_text(node->name);
  free_text(node->namespace_);
  rmw_node_free(node);
  return rmw_destroy_guard_condition(known->graph_changed);
}

REPLACE const rmw_guard_condition_t * rmw_node_get_graph_guard_condition(const rmw_node_t * node)
{
  return node_of(node).graph_changed;
}
