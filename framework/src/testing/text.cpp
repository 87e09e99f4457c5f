#include "testing/text.hpp"

#include <cmath>
#include <cstdio>

namespace recloom::conformance {

std::string text_of(double value) {
  if (std::isnan(value)) return "nan";
  char text[40];
  std::snprintf(text, sizeof text, "%.8g", value);
  return text;
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return line;
}

}  // namespace recloom::conformance
