#pragma once
#include <initializer_list>
#include <string_view>

#include "recloom/recloom.hpp"

namespace recloom {

/// What a key of data.* says that is about how a file is read, not which events count in which
/// order.
enum class ReadingKind {
  form,    ///< How its text is written.
  names,   ///< Which columns are meant.
  tables,  ///< What lies beside it.
  limits   ///< How much of it is too much.
};

/// Tell whether a key, without its table, is one of these.
bool is_reading(std::string_view name);
/// Tell whether a key of data.* that is one belongs to the protocol all the same.
bool is_reading_of_protocol(std::string_view name, const RunConfig& config);

/// Give the keys of some kinds, or all, the values that they have elsewhere.
void copy_reading(DataOptions& data, const DataOptions& from,
                  std::initializer_list<ReadingKind> kinds);
void forget_reading(DataOptions& data);
/// Tell whether two logs are written alike: whether all keys of the form are the same.
bool same_form(const DataOptions& one, const DataOptions& other);

}  // namespace recloom
