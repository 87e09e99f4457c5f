#include "testing/toy_data.hpp"

#include <cstdlib>
#include <system_error>

#include "recloom/core/error.hpp"
#include "recloom/core/random.hpp"

namespace recloom::conformance {
namespace {

constexpr int kCircles = 4, kCircleItems = 3, kEvents = 9;
constexpr int kUsersOfCircle[kCircles] = {9, 7, 5, 3};

void add_event(std::string& log, int user, int item, int event) {
  log += "u" + std::to_string(user) + "\ti" + std::to_string(item) + "\t" +
         std::to_string(1000 * user + event) + "\n";
}

constexpr const char* kHeader = "user_id:token\titem_id:token\ttimestamp:float\n";

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "recloom-check-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw IoError("no temporary folder can be made: " + pattern);
  path_ = pattern;
}
ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string planted_log() {
  std::string log = kHeader;
  int user = 0;
  for (int circle = 0; circle < kCircles; ++circle)
    for (int n = 0; n < kUsersOfCircle[circle]; ++n, ++user)
      for (int event = 0; event < kEvents; ++event)
        add_event(log, user, kCircleItems * circle + (n + event) % kCircleItems, event);
  return log;
}

std::string single_item_log() {
  std::string log = kHeader;
  for (int user = 0; user < 4; ++user)
    for (int event = 0; event < 6; ++event) add_event(log, user, 0, event);
  return log;
}

void Rows::add(UserId user, std::span<const ItemId> history, ItemId target) {
  entries_.push_back({static_cast<std::int64_t>(events_.size()),
                      static_cast<std::int32_t>(history.size()), target == 0 ? 0 : 1, user});
  events_.insert(events_.end(), history.begin(), history.end());
  if (target != 0) events_.push_back(target);
}

std::vector<ItemId> random_history(const Catalogue& catalogue, std::size_t length,
                                   std::uint64_t key) {
  Rng rng = Rng(key).fork("conformance.history");
  std::vector<ItemId> items(length);
  for (ItemId& item : items) item = static_cast<ItemId>(1 + rng.below(catalogue.n_items - 1));
  return items;
}

Rows probe_rows(const Catalogue& catalogue, int max_length) {
  constexpr int L = kLength;
  Rows rows(max_length);
  std::uint64_t key = 0;
  for (const int length : {2, 1, L, 3, 2, L - 1, L + 1, 3, 4, L, 1, L + 2, 4, L, 2, 7, 1}) {
    const auto user = static_cast<UserId>(key % static_cast<std::uint64_t>(catalogue.n_users));
    rows.add(user, random_history(catalogue, static_cast<std::size_t>(length), key));
    ++key;
  }
  return rows;
}

}  // namespace recloom::conformance
