#include "json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace lockstep
{

std::string quoted(const std::string & text)
{
  std::string quoted = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        quoted += "\\\"";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\r':
        quoted += "\\r";
        break;
      case '\t':
        quoted += "\\t";
        break;
      case '\b':
        quoted += "\\b";
        break;
      case '\f':
        quoted += "\\f";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          std::array<char, 8> escape{};
          std::snprintf(escape.data(), escape.size(), "\\u%04x", c);
          quoted += escape.data();
        } else {
          quoted += c;
        }
    }
  }
  return quoted + '"';
}

std::string shortest(double value)
{
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value < 0 ? "-Infinity" : "Infinity";
  }
  std::array<char, 64> buffer{};
  auto result = std::to_chars(
    buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  std::string scientific(buffer.data(), result.ptr);
  const long exponent = std::strtol(scientific.c_str() + scientific.find('e') + 1, nullptr, 10);
  if (exponent < -4 || exponent >= 16) {
    return scientific;
  }
  result =
    std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  const std::string fixed(buffer.data(), result.ptr);
  return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

JsonWriter & JsonWriter::begin_object()
{
  begin('{');
  return *this;
}

JsonWriter & JsonWriter::end_object()
{
  end('}');
  return *this;
}

JsonWriter & JsonWriter::begin_array()
{
  begin('[');
  return *this;
}

JsonWriter & JsonWriter::end_array()
{
  end(']');
  return *this;
}

JsonWriter & JsonWriter::key(const std::string & name)
{
  begin_value();
  text_ += quoted(name) + ": ";
  after_key_ = true;
  return *this;
}

JsonWriter & JsonWriter::null()
{
  begin_value();
  text_ += "null";
  return *this;
}

JsonWriter & JsonWriter::value(bool value)
{
  begin_value();
  text_ += value ? "true" : "false";
  return *this;
}

JsonWriter & JsonWriter::value(std::int64_t value)
{
  begin_value();
  text_ += std::to_string(value);
  return *this;
}

JsonWriter & JsonWriter::value(double value)
{
  begin_value();
  text_ += shortest(value);
  return *this;
}

JsonWriter & JsonWriter::value(const std::string & value)
{
  begin_value();
  text_ += quoted(value);
  return *this;
}

JsonWriter & JsonWriter::value(const std::vector<bool> & values)
{
  begin_array();
  for (const bool element : values) {
    value(element);
  }
  return end_array();
}

void JsonWriter::begin_value()
{
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_elements_.empty()) {
    return;
  }
  if (has_elements_.back()) {
    text_ += ',';
  }
  has_elements_.back() = true;
  new_line();
}

void JsonWriter::begin(char bracket)
{
  begin_value();
  text_ += bracket;
  has_elements_.push_back(false);
}

void JsonWriter::end(char bracket)
{
  const bool had_elements = has_elements_.back();
  has_elements_.pop_back();
  if (had_elements) {
    new_line();
  }
  text_ += bracket;
}

void JsonWriter::new_line() { text_ += '\n' + std::string(2 * has_elements_.size(), ' '); }

}  // namespace lockstep
