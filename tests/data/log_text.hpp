#pragma once
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "recloom/core/error.hpp"
#include "recloom/data/dataset.hpp"
#include "support/support.hpp"

namespace recloom::testing {

inline constexpr std::string_view kHeader = "user_id:token\titem_id:token\ttimestamp:float\n";

/// Open a log that holds this text.
inline Dataset open_log(std::string_view text, const DataOptions& data = {},
                        const SplitOptions& split = {}, std::string_view name = "toy.inter") {
  const TemporaryFolder folder;
  RunContext run(1, 2);
  return Dataset::open(folder.write(name, text), data, split, run);
}

/// Open a log and return the message of the error of this type that it must give, the folder taken
/// out of it.
template <class ErrorType>
std::string error_of_log(std::string_view text, const DataOptions& data = {},
                         const SplitOptions& split = {}, std::string_view name = "toy.inter") {
  const TemporaryFolder folder;
  RunContext run(1, 2);
  try {
    Dataset::open(folder.write(name, text), data, split, run);
  } catch (const ErrorType& error) {
    std::string message = error.what();
    const std::string place = folder.path().string() + "/";
    for (std::size_t at; (at = message.find(place)) != std::string::npos;) {
      message.erase(at, place.size());
    }
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  } catch (const Error& error) {
    ADD_FAILURE() << "an error of another kind: " << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

/// A user's items as tokens, oldest first, joined by blanks.
inline std::string items_of(const Dataset& dataset, std::string_view user) {
  const auto id = static_cast<std::size_t>(dataset.vocabulary().user(user));
  std::string text;
  for (auto at = dataset.offsets()[id]; at < dataset.offsets()[id + 1]; ++at) {
    if (!text.empty()) text += ' ';
    text += dataset.vocabulary().item_token(dataset.events()[static_cast<std::size_t>(at)]);
  }
  return text;
}

}  // namespace recloom::testing
