#pragma once
#include <string>

namespace recloom {

/// How a log was read, for people: what data.* left to be found out, and what came of it.
struct ReadSummary {
  std::string format;   ///< "csv without header, cells parted by '::'"
  std::string columns;  ///< "user_id (1), item_id (2), timestamp (4)"
  std::string times;    ///< "integers, as seconds", "none: file order"
  std::string first;    ///< The first event as it was understood.
};

}  // namespace recloom
