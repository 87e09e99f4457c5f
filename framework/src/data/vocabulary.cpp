#include "recloom/data/vocabulary.hpp"

#include <cstddef>
#include <mutex>
#include <utility>

#include "data/token_table.hpp"

namespace recloom {
namespace {

constexpr std::string_view kPadding = "[PAD]";

/// Finds the index of a token; made at the first question, since many runs never ask.
class TokenIndex {
 public:
  std::int32_t find(const std::vector<std::string>& tokens, std::string_view token) const {
    std::call_once(made_, [&] {
      ids_.reserve(tokens.size());
      for (std::size_t id = 1; id < tokens.size(); ++id) {
        const std::size_t known = table_.size();
        table_.insert(tokens[id]);
        if (table_.size() > known) ids_.push_back(static_cast<std::int32_t>(id));
      }
    });
    const std::int32_t code = table_.find(token);
    return code == TokenTable::kUnknown ? 0 : ids_[static_cast<std::size_t>(code)];
  }

 private:
  mutable std::once_flag made_;
  mutable TokenTable table_;
  mutable std::vector<std::int32_t> ids_;
};

std::string_view at_or_empty(const std::vector<std::string>& list, std::int32_t id) {
  const auto index = static_cast<std::size_t>(id);
  return id >= 0 && index < list.size() ? std::string_view(list[index]) : std::string_view();
}

}  // namespace

struct Vocabulary::Impl {
  std::vector<std::string> users, items, item_names;
  TokenIndex user_index, item_index;
};

Vocabulary::Vocabulary() : Vocabulary({std::string(kPadding)}, {std::string(kPadding)}, {}) {}

Vocabulary::Vocabulary(std::vector<std::string> users, std::vector<std::string> items,
                       std::vector<std::string> item_names) {
  auto impl = std::make_shared<Impl>();
  impl->users = std::move(users);
  impl->items = std::move(items);
  impl->item_names = std::move(item_names);
  impl_ = std::move(impl);
}

ItemId Vocabulary::item(std::string_view token) const {
  return impl_->item_index.find(impl_->items, token);
}
UserId Vocabulary::user(std::string_view token) const {
  return impl_->user_index.find(impl_->users, token);
}
std::string_view Vocabulary::item_token(ItemId item) const {
  return at_or_empty(impl_->items, item);
}
std::string_view Vocabulary::user_token(UserId user) const {
  return at_or_empty(impl_->users, user);
}
std::string_view Vocabulary::item_name(ItemId item) const {
  return at_or_empty(impl_->item_names, item);
}
const std::vector<std::string>& Vocabulary::users() const noexcept { return impl_->users; }
const std::vector<std::string>& Vocabulary::items() const noexcept { return impl_->items; }
const std::vector<std::string>& Vocabulary::item_names() const noexcept {
  return impl_->item_names;
}

}  // namespace recloom
