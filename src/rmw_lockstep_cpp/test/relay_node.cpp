/// An ordinary node in C++ on rcl that hands on what it gets, from /in to /out, and knows nothing of
/// Lockstep. Its argument is the type of the messages: imu or image.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "rcl/error_handling.h"
#include "rcl/rcl.h"
#include "rosidl_typesupport_cpp/message_type_support.hpp"
#include "sensor_msgs/msg/image.hpp"
#include "sensor_msgs/msg/imu.hpp"

namespace
{

rcl_guard_condition_t interrupted = rcl_get_zero_initialized_guard_condition();
volatile std::sig_atomic_t is_interrupted = 0;

void interrupt(int)
{
  is_interrupted = 1;
  if (rcl_trigger_guard_condition(&interrupted) != RCL_RET_OK) {
    std::_Exit(1);
  }
}

void check(rcl_ret_t result)
{
  if (result != RCL_RET_OK) {
    std::fprintf(stderr, "relay_node: %s\n", rcl_get_error_string().str);
    std::exit(1);
  }
}

template <typename Message>
void relay(int argc, char ** argv)
{
  const rcl_allocator_t allocator = rcl_get_default_allocator();
  rcl_init_options_t init_options = rcl_get_zero_initialized_init_options();
  rcl_context_t context = rcl_get_zero_initialized_context();
  check(rcl_init_options_init(&init_options, allocator));
  check(rcl_init(argc, argv, &init_options, &context));
  check(rcl_init_options_fini(&init_options));

  rcl_node_t node = rcl_get_zero_initialized_node();
  const rcl_node_options_t node_options = rcl_node_get_default_options();
  check(rcl_node_init(&node, "relay", "", &context, &node_options));
  const auto * type = rosidl_typesupport_cpp::get_message_type_support_handle<Message>();
  rcl_publisher_t publisher = rcl_get_zero_initialized_publisher();
  const rcl_publisher_options_t publisher_options = rcl_publisher_get_default_options();
  check(rcl_publisher_init(&publisher, &node, type, "out", &publisher_options));
  rcl_subscription_t subscription = rcl_get_zero_initialized_subscription();
  const rcl_subscription_options_t options = rcl_subscription_get_default_options();
  check(rcl_subscription_init(&subscription, &node, type, "in", &options));
  check(
    rcl_guard_condition_init(&interrupted, &context, rcl_guard_condition_get_default_options()));
  std::signal(SIGINT, interrupt);

  rcl_wait_set_t wait_set = rcl_get_zero_initialized_wait_set();
  check(rcl_wait_set_init(&wait_set, 1, 1, 0, 0, 0, 0, &context, allocator));
  Message message;
  while (is_interrupted == 0) {
    check(rcl_wait_set_clear(&wait_set));
    check(rcl_wait_set_add_subscription(&wait_set, &subscription, nullptr));
    check(rcl_wait_set_add_guard_condition(&wait_set, &interrupted, nullptr));
    check(rcl_wait(&wait_set, -1));
    if (wait_set.subscriptions[0] != nullptr) {
      check(rcl_take(&subscription, &message, nullptr, nullptr));
      check(rcl_publish(&publisher, &message, nullptr));
    }
  }

  check(rcl_wait_set_fini(&wait_set));
  check(rcl_guard_condition_fini(&interrupted));
  check(rcl_subscription_fini(&subscription, &node));
  check(rcl_publisher_fini(&publisher, &node));
  check(rcl_node_fini(&node));
  check(rcl_shutdown(&context));
  check(rcl_context_fini(&context));
}

}  // namespace

int main(int argc, char ** argv)
{
  if (argc > 1 && std::strcmp(argv[1], "image") == 0) {
    relay<sensor_msgs::msg::Image>(argc, argv);
  } else {
    relay<sensor_msgs::msg::Imu>(argc, argv);
  }
  return 0;
}
