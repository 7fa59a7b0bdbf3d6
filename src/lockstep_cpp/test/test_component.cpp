#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lockstep/component.hpp"
#include "lockstep/time.hpp"
#include "rcl/validate_topic_name.h"
#include "rmw/validate_full_topic_name.h"
#include "std_msgs/msg/string.hpp"
#include "std_srvs/srv/set_bool.hpp"

using std_msgs::msg::String;
using std_srvs::srv::SetBool;

namespace
{

struct Shouter : lockstep::Component
{
  Input<String> text{this, "text", &Shouter::on_text};
  Output<String> shout{this, "shout"};
  Parameter<std::string> mark{this, "mark", "!"};

  void on_text(const String & msg)
  {
    String result;
    result.data = msg.data + mark.value();
    shout.publish(result);
  }
};

struct WithTimer : lockstep::Component
{
  explicit WithTimer(double period_s) : tick(this, "tick", period_s, &WithTimer::on_tick) {}
  void on_tick() {}
  Timer tick;
};

struct Named : lockstep::Component
{
  Named(const std::string & output, const std::string & timer, const std::string & topic)
  : port(this, output, {}, topic), tick(this, timer, 1.0, &Named::on_tick)
  {
  }
  void on_tick() {}
  Output<String> port;
  Timer tick;
};

struct Switch : lockstep::Component
{
  explicit Switch(const std::string & name = "toggle", const std::string & service = {})
  : toggle(this, name, &Switch::on_toggle, service)
  {
  }
  SetBool::Response on_toggle(const SetBool::Request & request)
  {
    SetBool::Response response;
    response.success = request.data;
    response.message = std::to_string(now());
    return response;
  }
  Service<SetBool> toggle;
};

struct AnsweredTwice : Switch
{
  Output<String> responses{this, "toggle_response"};
};

struct Twice : lockstep::Component
{
  Parameter<double> one{this, "gain", 1.0};
  Parameter<double> two{this, "gain", 1.0};
};

template <typename T>
struct Limited : lockstep::Component
{
  template <typename... Limits>
  explicit Limited(T value, const Limits &... limits)
  : parameter(this, "limited", std::move(value), "", limits...)
  {
  }
  Parameter<T> parameter;
};

template <typename T, typename... Limits>
void expect_refused(const std::string & sentence, const T & value, const Limits &... limits)
{
  try {
    Limited<T>(value, limits...);
    ADD_FAILURE() << "accepted, and not: " << sentence;
  } catch (const std::invalid_argument & error) {
    EXPECT_EQ(error.what(), sentence);
  }
}

void expect_refused_name(
  const std::string & sentence, const std::string & output, const std::string & timer = "tick",
  const std::string & topic = "")
{
  try {
    Named(output, timer, topic);
    ADD_FAILURE() << "accepted, and not: " << sentence;
  } catch (const std::invalid_argument & error) {
    EXPECT_EQ(error.what(), sentence);
  }
}

/// Whether ROS takes a name as that of a topic of a node.
bool is_ros_topic(const std::string & topic)
{
  int invalid = 0;
  std::size_t index = 0;
  if (
    rcl_validate_topic_name(topic.c_str(), &invalid, &index) != RCL_RET_OK ||
    invalid != RCL_TOPIC_NAME_VALID) {
    return false;
  }
  std::string full = "/" + topic;
  if (topic.front() == '~') {
    full = "/node" + topic.substr(1);
  } else if (topic.front() == '/') {
    full = topic;
  }
  return rmw_validate_full_topic_name(full.c_str(), &invalid, &index) == RMW_RET_OK &&
         invalid == RMW_TOPIC_VALID;
}

bool is_accepted_topic(const std::string & topic)
{
  try {
    Named("port", "tick", topic);
  } catch (const std::invalid_argument &) {
    return false;
  }
  return true;
}

String text(const char * data)
{
  String message;
  message.data = data;
  return message;
}

}  // namespace

TEST(Component, runs_without_any_host)
{
  Shouter shouter;
  std::vector<std::string> published;
  shouter.shout.listen([&published](const String & message) { published.push_back(message.data); });
  shouter.text.receive(text("a"));
  shouter.mark.set(std::string("?"));
  shouter.text.receive(text("b"));
  EXPECT_EQ(published, (std::vector<std::string>{"a!", "b?"}));
}

TEST(Component, an_input_delivers_what_is_in_its_buffer)
{
  Shouter shouter;
  std::string published;
  shouter.shout.connect(
    [&published](const void * message) { published = static_cast<const String *>(message)->data; });
  lockstep::InputPort & input = *shouter.inputs().at(0);
  static_cast<String *>(input.buffer())->data = "in";
  input.deliver();
  EXPECT_EQ(published, "in!");
}

TEST(Component, publishing_without_a_host_is_an_error_that_names_the_output)
{
  Shouter shouter;
  try {
    shouter.text.receive(text("a"));
    FAIL();
  } catch (const std::logic_error & error) {
    EXPECT_NE(std::string(error.what()).find("'shout'"), std::string::npos);
  }
}

TEST(Component, a_parameter_keeps_its_type)
{
  Shouter shouter;
  EXPECT_THROW(shouter.mark.set(1.0), std::bad_variant_access);
}

TEST(Parameter, has_a_range_to_which_both_ends_belong)
{
  const Limited<double> both(0.5, lockstep::Minimum{0}, lockstep::Maximum{1.0});
  for (const double value : {0.0, 1.0, 0.3}) {
    EXPECT_EQ(both.parameter.range_objection(value), "");
  }
  EXPECT_EQ(both.parameter.range_objection(2.0), "must be from 0.0 to 1.0, not 2.0");
  EXPECT_EQ(
    both.parameter.range_objection(std::numeric_limits<double>::quiet_NaN()),
    "must be from 0.0 to 1.0, not NaN");
  const Limited<std::int64_t> low(3, lockstep::Minimum{1});
  EXPECT_EQ(low.parameter.range_objection(std::int64_t{0}), "must be at least 1, not 0");
  const Limited<double> high(0.0, lockstep::Maximum{1e-3});
  EXPECT_EQ(high.parameter.range_objection(1e20), "must be at most 0.001, not 1e+20");
}

TEST(Parameter, every_element_of_an_array_is_in_the_range)
{
  const Limited<std::vector<double>> doubles(std::vector<double>{0.5}, lockstep::Minimum{0.0});
  EXPECT_EQ(doubles.parameter.range_objection(std::vector<double>{0.0, 9.0}), "");
  EXPECT_EQ(doubles.parameter.range_objection(std::vector<double>{}), "");
  EXPECT_EQ(
    doubles.parameter.range_objection(std::vector<double>{0.0, -1.0, -2.0}),
    "must be at least 0.0 in every element, not -1.0");
  const Limited<std::vector<std::int64_t>> integers(
    std::vector<std::int64_t>{1}, lockstep::Minimum{0}, lockstep::Maximum{9});
  EXPECT_EQ(
    integers.parameter.range_objection(std::vector<std::int64_t>{10}),
    "must be from 0 to 9 in every element, not 10");
}

TEST(Parameter, without_a_range_may_be_anything)
{
  const Limited<double> free(0.0);
  EXPECT_EQ(free.parameter.range_objection(std::numeric_limits<double>::quiet_NaN()), "");
  EXPECT_FALSE(free.parameter.limits().read_only);
  EXPECT_TRUE(Limited<std::string>("x", lockstep::READ_ONLY).parameter.limits().read_only);
}

TEST(Parameter, a_range_that_makes_no_sense_is_refused_at_once)
{
  using lockstep::Maximum;
  using lockstep::Minimum;
  expect_refused(
    "the default of parameter 'limited' must be at most 1.0, not 2.0", 2.0, Maximum{1});
  expect_refused(
    "the default of parameter 'limited' must be from 2.0 to 1.0, not 1.5", 1.5, Minimum{2},
    Maximum{1});
  expect_refused(
    "the minimum of parameter 'limited' must be an integer, not 0.5", std::int64_t{1},
    Minimum{0.5});
  expect_refused(
    "the maximum of parameter 'limited' must be left out, because it is of type bool", true,
    Maximum{1});
  expect_refused(
    "the minimum of parameter 'limited' must be a number, not NaN", 1.0,
    Minimum{std::numeric_limits<double>::quiet_NaN()});
}

TEST(Component, a_name_is_declared_only_once) { EXPECT_THROW(Twice(), std::invalid_argument); }

// The same sentences as in lockstep's test_component.py.
TEST(Component, a_name_that_is_taken_or_impossible_is_refused_at_once)
{
  expect_refused_name(
    "output 'now' has the name of an attribute that every component has; choose another name, and "
    "give a port its topic, or a parameter its ROS name, by itself",
    "now");
  expect_refused_name(
    "timer 'start' cannot have this name, because on_start is called for another reason; choose "
    "another name",
    "port", "start");
  expect_refused_name(
    "output 'front/left' has a name that is no identifier; use letters, digits and underscores, "
    "and no digit at the beginning",
    "front/left");
  expect_refused_name(
    "output 'state' has the topic 'my state', which is no name of a ROS topic; use letters, "
    "digits, underscores and single slashes, no digit at the beginning of a part, and ~/ in front "
    "alone",
    "state", "tick", "my state");
  EXPECT_THROW(Named("", "tick", ""), std::invalid_argument);
  EXPECT_EQ(Named("start", "tick", "~/start").port.topic(), "~/start");
}

TEST(Component, a_topic_may_have_the_names_that_ROS_takes)
{
  const std::string characters = "a_1/~ {";
  for (std::size_t number = 1; number < 16807; ++number) {  // all of five characters, and shorter
    std::string topic;
    for (std::size_t rest = number; rest > 0; rest /= characters.size()) {
      topic += characters[rest % characters.size()];
    }
    const bool odd = topic.front() == '~' && topic.substr(1, 1) != "/";  // which nobody means
    if (!odd) {
      EXPECT_EQ(is_accepted_topic(topic), is_ros_topic(topic)) << topic;
    }
  }
}

TEST(Timer, has_a_period_of_whole_nanoseconds)
{
  EXPECT_EQ(WithTimer(0.02).tick.period_ns(), 20'000'000);
  EXPECT_EQ(WithTimer(1.0 / 3.0).tick.period_ns(), 333'333'333);
  EXPECT_EQ(WithTimer(1e-9).tick.period_ns(), 1);
}

TEST(Timer, refuses_a_period_that_is_not_positive)
{
  for (const double period_s :
       {0.0, -1.0, 1e-10, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(WithTimer{period_s}, std::invalid_argument) << period_s;
  }
}

TEST(Time, stamps_and_nanoseconds_are_the_same_time)
{
  for (const std::int64_t ns : {0L, 1L, 1'700'000'000'123'456'789L, -1L, -1'000'000'000L}) {
    EXPECT_EQ(lockstep::stamp_ns(lockstep::to_stamp(ns)), ns);
    EXPECT_LT(lockstep::to_stamp(ns).nanosec, 1'000'000'000U);
  }
}

TEST(Service, is_an_input_of_requests_and_an_output_of_responses)
{
  Switch component("toggle", "~/toggle");
  ASSERT_EQ(component.inputs().size(), 1u);
  ASSERT_EQ(component.outputs().size(), 1u);
  EXPECT_EQ(component.inputs()[0]->topic(), "~/toggle/_request");
  EXPECT_EQ(component.inputs()[0]->type(), "std_srvs/srv/SetBool_Request");
  EXPECT_EQ(component.outputs()[0]->name(), "toggle_response");
  EXPECT_EQ(component.outputs()[0]->topic(), "~/toggle/_response");
  EXPECT_EQ(component.outputs()[0]->type(), "std_srvs/srv/SetBool_Response");

  std::vector<SetBool::Response> responses;
  component.outputs()[0]->connect([&responses](const void * message) {
    responses.push_back(*static_cast<const SetBool::Response *>(message));
  });
  component.set_now(7000);
  SetBool::Request request;
  request.data = true;
  component.inputs()[0]->deliver(&request);
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_TRUE(responses[0].success);
  EXPECT_EQ(responses[0].message, "7000");
}

TEST(Service, is_refused_where_it_cannot_be)
{
  const auto told = [](auto && make) -> std::string {
    try {
      make();
      return "";
    } catch (const std::invalid_argument & error) {
      return error.what();
    }
  };
  EXPECT_EQ(told([] { AnsweredTwice(); }), "output 'toggle_response' is declared twice");
  EXPECT_EQ(told([] { Switch("services"); }).find("service 'services' has the name of an"), 0u);
  EXPECT_EQ(told([] { Switch("ask", "a b"); }).find("service 'ask' has the topic 'a b', "), 0u);
}
