#include "data/sessions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/stable_sort.hpp"
#include "data/stop_check.hpp"
#include "data/table_syntax.hpp"
#include "data/time_key.hpp"
#include "data/time_spans.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// Rows, users one after the other, each in the order in which its events happened.
std::vector<std::size_t> rows_by_user(const RawLog& log, const RunContext& run) {
  std::vector<std::size_t> order(log.size());
  for (std::size_t row = 0; row < order.size(); ++row) order[row] = row;
  const auto part = [&](std::size_t row) { return log.parts.empty() ? 0 : log.parts[row]; };
  sort_stably(
      order,
      [&](std::size_t a, std::size_t b) {
        if (log.users[a] != log.users[b]) return log.users[a] < log.users[b];
        if (part(a) != part(b)) return part(a) < part(b);
        return log.times[a] < log.times[b];
      },
      run);
  return order;
}

/// Number the sessions of all users, from 0 on. @return the user of each.
std::vector<std::int32_t> number_sessions(const RawLog& log, const TimeSpan& gap,
                                          std::vector<std::uint32_t>& session_of_row,
                                          const RunContext& run) {
  const std::vector<std::size_t> order = rows_by_user(log, run);
  std::vector<std::int32_t> users;
  session_of_row.resize(order.size());
  for_each_row(order.size(), run, [&](std::size_t at) {
    const std::size_t row = order[at];
    bool begins = at == 0 || log.users[order[at - 1]] != log.users[row];
    if (!begins) {
      // Only a later part can go back in time.
      const std::int64_t before = log.times[order[at - 1]], now = log.times[row];
      begins = gap.is_shorter_than(std::min(before, now), std::max(before, now));
    }
    if (begins) users.push_back(log.users[row]);
    session_of_row[row] = static_cast<std::uint32_t>(users.size() - 1);
  });
  return users;
}

/// Return what each session is called.
std::vector<std::string> session_tokens(const RawLog& log, const std::vector<std::int32_t>& users) {
  std::vector<std::string> tokens;
  tokens.reserve(users.size());
  std::size_t number = 0;
  for (std::size_t session = 0; session < users.size(); ++session) {
    number = session > 0 && users[session] == users[session - 1] ? number + 1 : 1;
    tokens.push_back(fmt::format("{}#{}", log.user_tokens[users[session]], number));
  }
  return tokens;
}

}  // namespace

void cut_sessions(RawLog& log, const DataOptions& options, const RunContext& run) {
  if (log.size() == 0) return;
  if (!log.has_times()) {
    throw ConfigError(
        "data.session_gap needs times, and the log has none (data.time_column names their column; "
        "--set data.session_gap=0 leaves users whole)");
  }
  if (std::find(log.times.begin(), log.times.end(), kMissingTime) != log.times.end()) {
    throw ConfigError(
        "data.session_gap needs every event's time: data.missing_time = \"mean\" does not go with "
        "it (--set data.missing_time=drop)");
  }
  const TimeScale scale = log.time_scale;
  require_seconds(*std::max_element(log.times.begin(), log.times.end()), scale, "data.session_gap");
  std::vector<std::uint32_t> session_of_row;
  const std::vector<std::int32_t> users =
      number_sessions(log, TimeSpan(options.session_gap, scale), session_of_row, run);
  if (users.size() > ReadLimits::kMostTokens) {
    throw DataError(fmt::format("data.session_gap = {}: more than {} sessions", options.session_gap,
                                ReadLimits::kMostTokens));
  }
  const std::vector<std::string> tokens = session_tokens(log, users);
  log.user_tokens = TokenTable();
  log.user_table.reset();
  for (const std::string& token : tokens) log.user_tokens.append(token);
  for_each_row(log.size(), run, [&](std::size_t row) {
    log.users[row] = static_cast<std::int32_t>(session_of_row[row]);
  });
}

}  // namespace recloom
