#include "lockstep/host/errors.hpp"

#include <string>

namespace lockstep
{

std::string one_line(std::string text)
{
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  for (char & c : text) {
    if (c == '\n' || c == '\r') {
      c = ' ';
    }
  }
  return text;
}

}  // namespace lockstep
