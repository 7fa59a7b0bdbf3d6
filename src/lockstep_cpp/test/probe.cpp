// A component that shows all a host does: it publishes what it sees, and does what it is told.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lockstep/component.hpp"
#include "lockstep/registration.hpp"
#include "std_msgs/msg/header.hpp"
#include "std_msgs/msg/string.hpp"

using std_msgs::msg::Header;
using std_msgs::msg::String;

class Probe : public lockstep::Component
{
  Input<String> text{this, "text", &Probe::on_text};
  Input<Header> header{this, "header", &Probe::on_header, lockstep::SENSOR_DATA, "sensor/header"};
  Output<String> echo{
    this, "echo", {lockstep::Reliability::reliable, lockstep::Durability::transient_local, 5}};
  Output<Header> ticks{this, "ticks"};
  Output<String> state{this, "state", {}, "~/state"};
  Timer slow{this, "slow", 0.02, &Probe::on_slow};
  Timer fast{this, "fast", 0.01, &Probe::on_fast};
  Parameter<bool> flag{this, "flag", false};
  Parameter<std::int64_t> whole{this, "whole", 3, "a whole number"};
  Parameter<double> gain{this, "gain", 0.5};
  Parameter<std::string> name{this, "name", "probe"};
  Parameter<std::vector<bool>> flags{this, "lists.flags", {true, false}};
  Parameter<std::vector<std::int64_t>> wholes{this, "lists.wholes", {1, 2}};
  Parameter<std::vector<double>> gains{this, "lists.gains", {0.5, 2.0}};
  Parameter<std::vector<std::string>> names{this, "lists.names", {"a", "b"}};
  Parameter<double> share{this, "share", 0.5, "of the whole", Minimum{0.0}, Maximum{1.0}};
  Parameter<std::int64_t> size{this, "size", 10, "in messages", Minimum{1}};
  Parameter<std::vector<double>> weights{this, "weights", {0.5}, "of the inputs", Minimum{0.0}};
  Parameter<std::string> frame{this, "frame", "base", "of the header", READ_ONLY};

  bool says_farewell_ = false;

public:
  ~Probe() override
  {
    if (says_farewell_) {
      logger.info("the last line");
      say("farewell");
    }
  }

private:
  void on_start() override
  {
    if (name.value() == "throw") {
      throw std::runtime_error("told to throw");
    }
    say("started with gain " + std::to_string(gain));
    // An output may be used like any other from here on.
    tick("start");
  }

  void on_parameters_changed() override
  {
    if (name.value() == "throw") {
      throw std::runtime_error("told to throw");
    }
    say("changed to gain " + std::to_string(gain) + " and share " + std::to_string(share));
  }

  void on_text(const String & msg)
  {
    if (msg.data == "throw") {
      throw std::runtime_error("told to\nthrow");
    }
    if (msg.data == "throw a number") {
      throw 42;
    }
    if (msg.data == "hang") {
      logger.info("hanging");
      while (true) {
        std::this_thread::sleep_for(std::chrono::hours(1));
      }
    }
    if (msg.data == "log") {
      logger.debug("a debug line");
      logger.info("an info line");
      logger.warning("a warning line");
      logger.error("an error line");
    }
    if (msg.data == "farewell") {
      says_farewell_ = true;
      static const lockstep::Logger kept = logger;  // it may outlive its component
      std::atexit([] { kept.info("a line at exit"); });
    }
    if (msg.data == "state") {
      state.publish(msg);
    }
    if (msg.data == "print") {
      std::printf("a printed line\n");
    }
    if (msg.data == "burst") {
      for (int i = 0; i < 10'500; ++i) {
        tick(std::to_string(i));
      }
    }
    say(msg.data + " at " + std::to_string(now()) + " with gain " + std::to_string(gain));
  }

  void on_header(const Header & msg) { say(msg.frame_id + " at " + std::to_string(now())); }
  void on_slow() { tick("slow"); }
  void on_fast() { tick("fast"); }

  void say(const std::string & text)
  {
    String message;
    message.data = text;
    echo.publish(message);
  }

  void tick(const std::string & timer)
  {
    Header message;
    message.stamp = lockstep::to_stamp(now());
    message.frame_id = timer;
    ticks.publish(message);
  }
};

LOCKSTEP_COMPONENT(Probe)
