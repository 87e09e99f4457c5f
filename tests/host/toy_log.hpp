#pragma once
#include <string>

#include "support/support.hpp"

namespace recloom::testing {

/// "i7", "u3".
inline std::string toy_token(char kind, int number) {
  std::string token(1, kind);
  token += std::to_string(number);
  return token;
}

/// A small log in RecBole's atomic form: `users` people who walk in circles over `items` items,
/// `events` each, at different starting points.
inline std::string toy_log(int users = 8, int items = 6, int events = 6) {
  std::string text = "user_id:token\titem_id:token\ttimestamp:float\n";
  for (int user = 0; user < users; ++user)
    for (int event = 0; event < events; ++event) {
      text.append(toy_token('u', user)).append("\t");
      text.append(toy_token('i', (user + event) % items)).append("\t");
      text.append(std::to_string(100 * user + event)).append("\n");
    }
  return text;
}

inline std::string toy_names(int items = 6) {
  std::string text = "item_id:token\ttitle:token_seq\n";
  for (int item = 0; item < items; ++item)
    text.append(toy_token('i', item) + "\tThing \"").append(std::to_string(item)).append("\"\n");
  return text;
}

}  // namespace recloom::testing
