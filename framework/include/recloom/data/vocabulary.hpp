#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"

namespace recloom {

/// Tokens <-> ids, with item names where known; travels inside the model file. Cheap to copy,
/// immutable. Index 0 of every list is the padding entry "[PAD]".
class RECLOOM_API Vocabulary {
 public:
  Vocabulary();
  /// @param item_names empty, or one per item ("" where unknown).
  Vocabulary(std::vector<std::string> users, std::vector<std::string> items,
             std::vector<std::string> item_names);
  ItemId item(std::string_view token) const;  ///< 0 if unknown.
  UserId user(std::string_view token) const;  ///< 0 if unknown.
  std::string_view item_token(ItemId item) const;
  std::string_view user_token(UserId user) const;
  std::string_view item_name(ItemId item) const;  ///< "" if unknown.
  const std::vector<std::string>& users() const noexcept;
  const std::vector<std::string>& items() const noexcept;
  const std::vector<std::string>& item_names() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace recloom
