#pragma once
#include <span>
#include <string>
#include <string_view>

namespace recloom {

/// Return what a key of another program (RecBole, the Caser authors' and SASRec's code) is called
/// here, as the end of a message: ", here it is 'data.max_length'"; "" for a name that none has.
/// @param key as written, with or without a table: "MAX_ITEM_LIST_LENGTH", "model.params.n_h".
/// @param legal the keys there are: of several translations the first of them.
std::string foreign_name_hint(std::string_view key, std::span<const std::string> legal);

/// @throws ConfigError for a file whose name says that it is YAML: TOML is wanted, and what its
/// keys are called here.
void refuse_yaml(const std::string& file, std::span<const std::string> legal);

}  // namespace recloom
