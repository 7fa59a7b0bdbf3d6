/// The middleware as rcl calls it: publishers, subscriptions, services, wait sets and the graph.

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness.hpp"
#include "rmw/endpoints.hpp"
#include "rmw/error_handling.h"
#include "rmw/get_topic_names_and_types.h"
#include "rmw/names_and_types.h"
#include "rmw/rmw.h"
#include "rosidl_typesupport_cpp/message_type_support.hpp"
#include "rosidl_typesupport_cpp/service_type_support.hpp"
#include "std_msgs/msg/int32.hpp"
#include "std_msgs/msg/string.hpp"
#include "std_srvs/srv/set_bool.hpp"

using lockstep::FrameKind;
using std_msgs::msg::Int32;
using std_msgs::msg::String;
using std_srvs::srv::SetBool;

namespace
{

constexpr std::int64_t FIRST_NS = START_NS + 10 * MS;

rmw_qos_profile_t qos_of(
  std::size_t depth, rmw_qos_durability_policy_t durability = RMW_QOS_POLICY_DURABILITY_VOLATILE)
{
  rmw_qos_profile_t qos = rmw_qos_profile_default;
  qos.depth = depth;
  qos.durability = durability;
  return qos;
}

constexpr auto LATCHED = RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL;

class RmwTest : public ConnectedRun
{
protected:
  RmwTest() { node = rmw_create_node(&context_, "tested", "/ns"); }
  ~RmwTest() override
  {
    for (rmw_publisher_t * publisher : publishers_) {
      EXPECT_EQ(rmw_destroy_publisher(node, publisher), RMW_RET_OK);
    }
    for (rmw_subscription_t * subscription : subscriptions_) {
      EXPECT_EQ(rmw_destroy_subscription(node, subscription), RMW_RET_OK);
    }
    EXPECT_EQ(rmw_destroy_node(node), RMW_RET_OK);
    EXPECT_TRUE(run.entities.all().empty());
  }

  template <typename Message>
  rmw_publisher_t * advertise(const char * topic, const rmw_qos_profile_t & qos = qos_of(10))
  {
    const rmw_publisher_options_t options = rmw_get_default_publisher_options();
    publishers_.push_back(rmw_create_publisher(
      node, rosidl_typesupport_cpp::get_message_type_support_handle<Message>(), topic, &qos,
      &options));
    return publishers_.back();
  }

  template <typename Message>
  rmw_subscription_t * subscribe(
    const char * topic, const rmw_qos_profile_t & qos = qos_of(10), bool ignores_own = false)
  {
    rmw_subscription_options_t options = rmw_get_default_subscription_options();
    options.ignore_local_publications = ignores_own;
    subscriptions_.push_back(rmw_create_subscription(
      node, rosidl_typesupport_cpp::get_message_type_support_handle<Message>(), topic, &qos,
      &options));
    return subscriptions_.back();
  }

  static void publish(const rmw_publisher_t * publisher, const std::string & text)
  {
    String message;
    message.data = text;
    EXPECT_EQ(rmw_publish(publisher, &message, nullptr), RMW_RET_OK);
  }

  /// Its text; "-" if there is none.
  static std::string take(const rmw_subscription_t * subscription)
  {
    String message;
    bool is_taken = false;
    EXPECT_EQ(rmw_take(subscription, &message, &is_taken, nullptr), RMW_RET_OK);
    return is_taken ? message.data : "-";
  }

  /// Which of some subscriptions a wait gives; `timeout_ns` -1 waits for ever.
  static std::vector<const rmw_subscription_t *> wait(
    const std::vector<const rmw_subscription_t *> & asked, std::int64_t timeout_ns,
    rmw_guard_condition_t * guard = nullptr, bool * is_triggered = nullptr)
  {
    std::vector<void *> pointers;
    for (const rmw_subscription_t * subscription : asked) {
      pointers.push_back(subscription->data);
    }
    rmw_subscriptions_t subscriptions{pointers.size(), pointers.data()};
    void * guarded[] = {guard == nullptr ? nullptr : guard->data};
    rmw_guard_conditions_t guards{guard == nullptr ? 0U : 1U, guarded};
    const rmw_time_t timeout{
      static_cast<std::uint64_t>(timeout_ns / S), static_cast<std::uint64_t>(timeout_ns % S)};
    const rmw_ret_t result = rmw_wait(
      &subscriptions, &guards, nullptr, nullptr, nullptr, nullptr,
      timeout_ns < 0 ? nullptr : &timeout);
    std::vector<const rmw_subscription_t *> ready;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (pointers[i] != nullptr) {
        ready.push_back(asked[i]);
      }
    }
    if (is_triggered != nullptr) {
      *is_triggered = guard != nullptr && guarded[0] != nullptr;
    }
    const bool is_any = !ready.empty() || (guard != nullptr && guarded[0] != nullptr);
    EXPECT_EQ(result, is_any ? RMW_RET_OK : RMW_RET_TIMEOUT);
    return ready;
  }

  rmw_node_t * node = nullptr;

private:
  rmw_context_t context_ = rmw_get_zero_initialized_context();
  std::vector<rmw_publisher_t *> publishers_;
  std::vector<rmw_subscription_t *> subscriptions_;
};

using Ready = std::vector<const rmw_subscription_t *>;

}  // namespace

TEST_F(RmwTest, what_is_published_goes_to_the_harness_and_to_subscriptions_that_match)
{
  rmw_publisher_t * publisher = advertise<String>("/a");
  rmw_subscription_t * subscription = subscribe<String>("/a");
  rmw_subscription_t * deaf = subscribe<String>("/a", qos_of(10), true);
  rmw_subscription_t * other = subscribe<String>("/b");
  rmw_subscription_t * late = subscribe<String>("/a", qos_of(10, LATCHED));
  subscribe<Int32>("/a");
  publish(publisher, "hello");
  EXPECT_EQ(take(subscription), "hello");
  EXPECT_EQ(take(subscription), "-");
  for (const rmw_subscription_t * one : {deaf, other, late}) {
    EXPECT_EQ(take(one), "-");
  }
  rmw_lockstep::flush(run);
  const std::vector<Frame> frames = harness.received();
  EXPECT_EQ(frames.back().header.kind, FrameKind::output);
  EXPECT_EQ(frames.back().header.port, rmw_lockstep::endpoint_of(publisher).id);
  EXPECT_EQ(frames.back().payload, std::string("\0\1\0\0\6\0\0\0hello\0", 14));
}

TEST_F(RmwTest, the_harness_is_told_of_every_entity)
{
  advertise<String>("/a", qos_of(3, LATCHED));
  rmw_lockstep::flush(run);
  const std::vector<Frame> frames = harness.received();
  ASSERT_EQ(frames.back().header.kind, FrameKind::entity);
  for (const char * part :
       {R"("kind": "publisher", "name": "/a", "type": "std_msgs/msg/String")",
        R"("node": "/ns/tested", "depth": 3, "reliability": "reliable")",
        R"("durability": "transient_local")", R"("type_hash": "RIHS01_)"}) {
    EXPECT_NE(frames.back().payload.find(part), std::string::npos) << frames.back().payload;
  }
}

TEST_F(RmwTest, there_may_be_ten_thousand_of_them)
{
  std::vector<std::string> topics(5000);
  for (std::size_t i = 0; i < topics.size(); ++i) {
    topics[i] = "/many" + std::to_string(i);
  }
  std::thread reader([this] {  // or the socket would be full
    for (std::size_t seen = 0; seen < 10000;) {
      for (const Frame & frame : harness.received()) {
        seen += frame.header.kind == FrameKind::entity ? 1 : 0;
      }
    }
  });
  for (const std::string & topic : topics) {
    advertise<String>(topic.c_str());
    subscribe<String>(topic.c_str());
  }
  rmw_lockstep::flush(run);
  reader.join();
  EXPECT_EQ(run.entities.subscriptions("/many4999").at(0), run.entities.all().back());
}

TEST_F(RmwTest, who_comes_late_gets_what_is_latched_and_no_more_than_that)
{
  rmw_publisher_t * publisher = advertise<String>("/a", qos_of(2, LATCHED));
  for (const char * text : {"one", "two", "three"}) {
    publish(publisher, text);
  }
  rmw_subscription_t * subscription = subscribe<String>("/a", qos_of(10, LATCHED));
  EXPECT_EQ(take(subscription), "two");
  EXPECT_EQ(take(subscription), "three");
  EXPECT_EQ(take(subscription), "-");
  EXPECT_EQ(take(subscribe<String>("/a")), "-");
}

TEST_F(RmwTest, a_wait_gives_one_message_in_the_order_in_which_they_came)
{
  rmw_subscription_t * a = subscribe<String>("/a");
  rmw_subscription_t * b = subscribe<String>("/b");
  rmw_publisher_t * to_a = advertise<String>("/a");
  rmw_publisher_t * to_b = advertise<String>("/b");
  publish(to_b, "1");
  publish(to_a, "2");
  publish(to_b, "3");
  std::string order;
  for (const rmw_subscription_t * expected : {b, a, b}) {
    EXPECT_EQ(wait({a, b}, -1), (Ready{expected}));
    order += take(expected);
  }
  EXPECT_EQ(order, "123");
}

TEST_F(RmwTest, a_poll_gives_all_that_is_ready_and_takes_no_time)
{
  rmw_subscription_t * a = subscribe<String>("/a");
  rmw_subscription_t * b = subscribe<String>("/b");
  rmw_subscription_t * c = subscribe<String>("/c");
  publish(advertise<String>("/a"), "1");
  publish(advertise<String>("/c"), "2");
  EXPECT_EQ(wait({a, b, c}, 0), (Ready{a, c}));
  EXPECT_EQ(now_ns(), 0);
}

TEST_F(RmwTest, polls_in_vain_take_time)
{
  rmw_subscription_t * a = subscribe<String>("/a");
  harness.step(FrameKind::advance, FIRST_NS);
  for (int i = 0; i < 11; ++i) {  // the first of a time does not count
    EXPECT_EQ(wait({a}, 0), Ready{});
  }
  EXPECT_EQ(now_ns(), 1 * MS);
}

TEST_F(RmwTest, a_wait_ends_when_its_time_is_over)
{
  rmw_subscription_t * a = subscribe<String>("/a");
  harness.step(FrameKind::advance, FIRST_NS);
  EXPECT_EQ(wait({a}, 7 * MS), Ready{});
  EXPECT_EQ(now_ns(), 7 * MS);
}

TEST_F(RmwTest, who_waits_for_what_it_does_not_take_lets_time_pass)
{
  rmw_subscription_t * a = subscribe<String>("/a");
  publish(advertise<String>("/a"), "1");
  harness.step(FrameKind::advance, FIRST_NS);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(wait({a}, -1), (Ready{a}));
    EXPECT_EQ(now_ns(), 0);
  }
  EXPECT_EQ(wait({a}, -1), (Ready{a}));
  EXPECT_EQ(now_ns(), 1 * MS);
}

TEST_F(RmwTest, a_guard_condition_ends_one_wait)
{
  rmw_context_t context = rmw_get_zero_initialized_context();
  rmw_guard_condition_t * guard = rmw_create_guard_condition(&context);
  bool is_triggered = false;
  EXPECT_EQ(rmw_trigger_guard_condition(guard), RMW_RET_OK);
  wait({}, -1, guard, &is_triggered);
  EXPECT_TRUE(is_triggered);
  harness.step(FrameKind::advance, FIRST_NS);
  wait({}, 1 * MS, guard, &is_triggered);
  EXPECT_FALSE(is_triggered);
  EXPECT_EQ(rmw_destroy_guard_condition(guard), RMW_RET_OK);
}

TEST_F(RmwTest, a_message_that_is_cut_off_is_an_error_and_no_crash)
{
  rmw_subscription_t * subscription = subscribe<String>("/a");
  harness.announce(0, "/a");
  harness.step(FrameKind::input, FIRST_NS, 0, std::string("\0\1\0\0\6\0\0\0he", 10));
  EXPECT_EQ(wait({subscription}, -1), (Ready{subscription}));
  String message;
  bool is_taken = false;
  EXPECT_EQ(rmw_take(subscription, &message, &is_taken, nullptr), RMW_RET_ERROR);
  rmw_reset_error();
}

TEST_F(RmwTest, a_callback_for_new_messages_is_called_for_those_that_have_come_too)
{
  rmw_subscription_t * subscription = subscribe<String>("/a");
  rmw_publisher_t * publisher = advertise<String>("/a");
  publish(publisher, "1");
  publish(publisher, "2");
  std::size_t count = 0;
  const auto on_new = [](const void * counted, std::size_t more) {
    *static_cast<std::size_t *>(const_cast<void *>(counted)) += more;
  };
  EXPECT_EQ(rmw_subscription_set_on_new_message_callback(subscription, on_new, &count), RMW_RET_OK);
  EXPECT_EQ(count, 2U);
  publish(publisher, "3");
  EXPECT_EQ(count, 3U);
}

TEST_F(RmwTest, the_graph_has_this_process_others_and_what_the_harness_publishes)
{
  advertise<String>("/a");
  subscribe<Int32>("/b");
  harness.announce(0, "/input");
  const std::string zero(1, '\0');
  std::string peer;
  for (const char * word :
       {"publisher", "2", "1", "/far", "std_msgs/msg/String", "/elsewhere", "", "1", "reliable",
        "volatile"}) {
    peer += word + zero;
  }
  peer.pop_back();
  harness.send({FrameKind::peer, 0}, peer);
  harness.step(FrameKind::advance, FIRST_NS);
  sleep_until(FIRST_NS);
  rcutils_allocator_t allocator = rcutils_get_default_allocator();
  rmw_names_and_types_t topics = rmw_get_zero_initialized_names_and_types();
  ASSERT_EQ(rmw_get_topic_names_and_types(node, &allocator, false, &topics), RMW_RET_OK);
  std::string text;
  for (std::size_t i = 0; i < topics.names.size; ++i) {
    text += std::string(topics.names.data[i]) + ":" + topics.types[i].data[0] + " ";
  }
  EXPECT_EQ(rmw_names_and_types_fini(&topics), RMW_RET_OK);
  EXPECT_EQ(
    text,
    "/a:std_msgs/msg/String /b:std_msgs/msg/Int32 /far:std_msgs/msg/String "
    "/input:std_msgs/msg/String ");
  std::size_t count = 0;
  EXPECT_EQ(rmw_count_publishers(node, "/far", &count), RMW_RET_OK);
  EXPECT_EQ(count, 1U);
  rcutils_string_array_t names = rcutils_get_zero_initialized_string_array();
  rcutils_string_array_t spaces = rcutils_get_zero_initialized_string_array();
  ASSERT_EQ(rmw_get_node_names(node, &names, &spaces), RMW_RET_OK);
  std::string nodes;
  for (std::size_t i = 0; i < names.size; ++i) {
    nodes += std::string(spaces.data[i]) + ":" + names.data[i] + " ";
  }
  EXPECT_NE(nodes.find("/ns:tested "), std::string::npos) << nodes;
  EXPECT_NE(nodes.find("/:elsewhere "), std::string::npos) << nodes;
  EXPECT_EQ(rcutils_string_array_fini(&names), RCUTILS_RET_OK);
  EXPECT_EQ(rcutils_string_array_fini(&spaces), RCUTILS_RET_OK);
}

TEST_F(RmwTest, a_service_answers_its_client_and_a_request_to_nobody_is_told)
{
  const auto * type = rosidl_typesupport_cpp::get_service_type_support_handle<SetBool>();
  rmw_client_t * client = rmw_create_client(node, type, "/set", &rmw_qos_profile_services_default);
  SetBool::Request request;
  request.data = true;
  std::int64_t sequence = 0;
  bool is_available = true;
  EXPECT_EQ(rmw_service_server_is_available(node, client, &is_available), RMW_RET_OK);
  EXPECT_FALSE(is_available);
  EXPECT_EQ(rmw_send_request(client, &request, &sequence), RMW_RET_OK);

  rmw_service_t * service =
    rmw_create_service(node, type, "/set", &rmw_qos_profile_services_default);
  EXPECT_EQ(rmw_send_request(client, &request, &sequence), RMW_RET_OK);
  EXPECT_EQ(sequence, 2);
  rmw_service_info_t info{};
  bool is_taken = false;
  SetBool::Request asked;
  EXPECT_EQ(rmw_take_request(service, &info, &asked, &is_taken), RMW_RET_OK);
  EXPECT_TRUE(is_taken && asked.data);
  SetBool::Response response;
  response.message = "done";
  EXPECT_EQ(rmw_send_response(service, &info.request_id, &response), RMW_RET_OK);
  SetBool::Response answer;
  EXPECT_EQ(rmw_take_response(client, &info, &answer, &is_taken), RMW_RET_OK);
  EXPECT_TRUE(is_taken);
  EXPECT_EQ(answer.message, "done");
  EXPECT_EQ(info.request_id.sequence_number, 2);

  EXPECT_EQ(rmw_destroy_service(node, service), RMW_RET_OK);
  EXPECT_EQ(rmw_destroy_client(node, client), RMW_RET_OK);
  rmw_lockstep::flush(run);
  std::string notes;
  for (const Frame & frame : harness.received()) {
    notes += frame.header.kind == FrameKind::note ? frame.payload : "";
  }
  EXPECT_EQ(notes, R"({"note": "unserved", "topic": "/set", "count": 1})");
}
