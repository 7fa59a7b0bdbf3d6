#ifndef COMPONENT__JSON_HPP_
#define COMPONENT__JSON_HPP_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace lockstep
{

/// Writes JSON (RFC 8259) as Python's json.dumps(…, indent=2, ensure_ascii=False) does, so that
/// the contracts of two languages can be compared as text. NaN and infinities are written as
/// Python's NaN, Infinity and -Infinity. The caller sees to it that begin and end match.
///
/// By hand, because nlohmann_json writes null for those, 1e+15 for Python's 1000000000000000.0, and
/// of one double in a thousand other digits (Grisu2): its contract would be another text.
class JsonWriter
{
public:
  JsonWriter & begin_object();
  JsonWriter & end_object();
  JsonWriter & begin_array();
  JsonWriter & end_array();
  JsonWriter & key(const std::string & name);

  JsonWriter & null();
  JsonWriter & value(bool value);
  JsonWriter & value(std::int64_t value);
  JsonWriter & value(double value);
  JsonWriter & value(const std::string & value);

  template <typename T>
  JsonWriter & value(const std::vector<T> & values)
  {
    begin_array();
    for (const T & element : values) {
      value(element);
    }
    return end_array();
  }
  JsonWriter & value(const std::vector<bool> & values);

  template <typename... Ts>
  JsonWriter & value(const std::variant<Ts...> & value)
  {
    std::visit([this](const auto & typed) { this->value(typed); }, value);
    return *this;
  }

  template <typename T>
  JsonWriter & value(const std::optional<T> & value)
  {
    return value ? this->value(*value) : null();
  }

  const std::string & text() const { return text_; }

private:
  void begin_value();
  void begin(char bracket);
  void end(char bracket);
  void new_line();

  std::string text_;
  std::vector<bool> has_elements_;  // of each array or object that is open
  bool after_key_ = false;
};

/// The text as a JSON string.
std::string quoted(const std::string & text);

/// The shortest text that reads back as the same value, written as Python's repr(float) does.
std::string shortest(double value);

}  // namespace lockstep

#endif  // COMPONENT__JSON_HPP_
