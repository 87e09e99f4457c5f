#pragma once
#include <string>
#include <string_view>

namespace recloom::conformance {

/// "0.0625", "-inf"; enough digits to tell values apart.
std::string text_of(double value);
/// A text with line breaks and control characters made visible: reasons are one line.
std::string one_line(std::string_view text);

}  // namespace recloom::conformance
