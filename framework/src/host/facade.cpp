#include "core/file.hpp"
#include "core/text.hpp"
#include "kernels/isa.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

std::string_view version() { return RECLOOM_VERSION; }

void check_environment() { kernels::isa(); }

std::string suggestion(std::string_view word, std::span<const std::string> candidates) {
  return did_you_mean(word, candidates);
}

std::string display_text(std::string_view text) { return visible(text); }

std::string tsv_cell(std::string_view text) { return escaped_cell(text); }

void write_file(const std::string& file, std::string_view bytes) {
  write_file_atomically(file, bytes);
}

void write_file(
    const std::string& file,
    const std::function<void(const std::function<void(std::string_view)>& append)>& write) {
  write_file_atomically(file, write);
}

}  // namespace recloom
