/// Events of QoS (deadlines missed, incompatible QoS, lost messages): none ever occurs here.

#include "../process/real.hpp"
#include "endpoints.hpp"
#include "rmw/event.h"
#include "rmw/rmw.h"

using namespace rmw_lockstep;

REPLACE bool rmw_event_type_is_supported(rmw_event_type_t) { return true; }

REPLACE rmw_ret_t rmw_publisher_event_init(
  rmw_event_t * event, const rmw_publisher_t * publisher, rmw_event_type_t type)
{
  event->implementation_identifier = IDENTIFIER;
  event->data = publisher->data;
  event->event_type = type;
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_subscription_event_init(
  rmw_event_t * event, const rmw_subscription_t * subscription, rmw_event_type_t type)
{
  event->implementation_identifier = IDENTIFIER;
  event->data = subscription->data;
  event->event_type = type;
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_event_set_callback(rmw_event_t *, rmw_event_callback_t, const void *)
{
  return RMW_RET_OK;
}

REPLACE rmw_ret_t rmw_take_event(const rmw_event_t *, void *, bool * taken)
{
  *taken = false;
  return RMW_RET_OK;
}
