#pragma once

#include <string>

#include "recloom/core/error.hpp"

namespace recloom::testing {

/// The message of the IoError that a call throws.
template <class Call>
std::string io_error(Call call) {
  try {
    call();
  } catch (const IoError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace recloom::testing
