// Runs a reader over its corpus, and over changed copies of it that a seed decides: what of fuzzing
// the test suite does, with any compiler. `./dev fuzz` searches for hours if it is asked to.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

std::vector<Bytes> read_corpus(const char* folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Bytes> corpus;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

class Mutator {
 public:
  Mutator(const std::vector<Bytes>& corpus, std::uint64_t seed) : corpus_(corpus), random_(seed) {}
  Bytes next() {
    Bytes bytes = corpus_[below(corpus_.size())];
    for (std::size_t change = 1 + below(4); change > 0; --change) apply(bytes);
    return bytes;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  void apply(Bytes& bytes) {
    const auto at = static_cast<std::ptrdiff_t>(below(bytes.size() + 1));
    switch (below(6)) {
      case 0:
        if (!bytes.empty()) bytes[below(bytes.size())] ^= std::uint8_t(1U << below(8));
        break;
      case 1:
        bytes.insert(bytes.begin() + at, special());
        break;
      case 2:
        bytes.erase(bytes.begin() + at,
                    bytes.begin() + at +
                        static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(
                            17, bytes.size() - static_cast<std::size_t>(at) + 1))));
        break;
      case 3:
        bytes.resize(static_cast<std::size_t>(at));
        break;
      case 4:
        if (!bytes.empty()) bytes[below(bytes.size())] = special();
        break;
      default: {
        const Bytes& other = corpus_[below(corpus_.size())];
        const std::size_t from = below(other.size()),
                          most = std::min<std::size_t>(64, other.size());
        const std::size_t count = std::min(below(most + 1), other.size() - from);
        const auto begin = other.begin() + static_cast<std::ptrdiff_t>(from);
        bytes.insert(bytes.begin() + at, begin, begin + static_cast<std::ptrdiff_t>(count));
      }
    }
  }
  std::uint8_t special() {
    constexpr std::string_view kBytes("\0\n\r\t ,:;|\"'\\{}[]()+-.0123456789eETZ\xff\xc3\x80\x7f",
                                      47);
    return static_cast<std::uint8_t>(kBytes[below(kBytes.size())]);
  }

  const std::vector<Bytes>& corpus_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s CORPUS CHANGED-COPIES SEED\n", argv[0]);
    return 2;
  }
  const std::vector<Bytes> corpus = read_corpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no corpus\n", argv[1]);
    return 1;
  }
  for (const Bytes& bytes : corpus) LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  Mutator mutator(corpus, std::strtoull(argv[3], nullptr, 10));
  const unsigned long copies = std::strtoul(argv[2], nullptr, 10);
  for (unsigned long copy = 0; copy < copies; ++copy) {
    const Bytes bytes = mutator.next();
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::printf("%zu files, %lu changed copies\n", corpus.size(), copies);
  return 0;
}
