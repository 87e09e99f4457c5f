#pragma once
#include <string>

#include "support/support.hpp"

namespace recloom::testing {

/// A small log in RecBole's atomic form: `users` people who walk in circles over `items` items,
/// `events` each, at different starting points.
inline std::string toy_log(int users = 8, int items = 6, int events = 6) {
  std::string text = "user_id:token\titem_id:token\ttimestamp:float\n";
  for (int user = 0; user < users; ++user)
    for (int event = 0; event < events; ++event)
      text += "u" + std::to_string(user) + "\ti" + std::to_string((user + event) % items) + "\t" +
              std::to_string(100 * user + event) + "\n";
  return text;
}

inline std::string toy_names(int items = 6) {
  std::string text = "item_id:token\ttitle:token_seq\n";
  for (int item = 0; item < items; ++item)
    text += "i" + std::to_string(item) + "\tThing \"" + std::to_string(item) + "\"\n";
  return text;
}

}  // namespace recloom::testing
