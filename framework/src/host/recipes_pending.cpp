// Stands in for find_dataset() of several files until that is there: a weak symbol gives way to it.
#include "recloom/recloom.hpp"

namespace recloom {

__attribute__((weak)) DataSource find_dataset(const std::vector<std::string>& data,
                                              const std::string& recipe) {
  if (data.size() != 1 || !recipe.empty())
    throw ConfigError("recipes and logs of several files are not there yet");
  DataSource source = find_dataset(data.front());
  source.files = {source.file};
  return source;
}

}  // namespace recloom
