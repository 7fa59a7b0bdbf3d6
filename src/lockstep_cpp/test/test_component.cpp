#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "lockstep/component.hpp"
#include "lockstep/time.hpp"
#include "std_msgs/msg/string.hpp"

using std_msgs::msg::String;

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

struct Twice : lockstep::Component
{
  Parameter<double> one{this, "gain", 1.0};
  Parameter<double> two{this, "gain", 1.0};
};

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
  shouter.shout.connect([&published](const void * message) {
    published.push_back(static_cast<const String *>(message)->data);
  });
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

TEST(Component, a_name_is_declared_only_once) { EXPECT_THROW(Twice(), std::invalid_argument); }

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
