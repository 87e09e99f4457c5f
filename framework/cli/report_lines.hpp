#pragma once
#include <string_view>

#include "cli/command.hpp"

namespace recloom::cli {

/// Print how many targets were never trained, if any. @param part "test".
void print_cold_targets(Program& program, const EvalReport& report, std::string_view part);
/// Print the protocol's hash, and what of eval.* makes figures differ from those of others: whether
/// targets were ranked against a sample, what was masked, how ties count.
void print_protocol(Program& program, const Params& protocol, std::string_view hash);

}  // namespace recloom::cli
