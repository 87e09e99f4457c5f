#include "architecture/include_rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <deque>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

namespace recloom::testing {
namespace {

/// A library and the only places that may include its headers (prefixes of paths).
struct Door {
  std::string_view headers;  ///< A regular expression for what stands in the include line.
  std::vector<std::string_view> open_to;
};

const std::vector<Door>& doors() {
  static const std::vector<Door> all = {
      {"oneapi/dnnl/.*|dnnl.*", {"framework/src/kernels/dnnl_"}},
      {"hwy/.*", {"framework/src/kernels/", "framework/src/data/marks.hpp"}},
      {"(oneapi/)?tbb(/.*|\\.h)",
       {"framework/src/core/parallel.cpp", "framework/src/kernels/dnnl_compat.hpp"}},
      {"omp\\.h", {"framework/src/core/parallel.cpp", "framework/src/kernels/dnnl_"}},
      {"sanitizer/.*", {"framework/src/core/parallel.cpp"}},
      {"boost/.*", {"framework/src/plugin/loader.cpp"}},
      {"toml\\+\\+/.*|toml\\.hpp", {"framework/src/config/"}},
      {"nlohmann/.*", {"framework/src/core/json.hpp"}},
      {"spdlog/.*", {"framework/src/core/log.cpp"}},
      {"date/.*", {"framework/src/data/time_format.cpp"}},
      {"simdjson\\.h", {"framework/src/data/json_rows.cpp"}},
      {"zlib\\.h|zstd.*\\.h",
       {"framework/src/data/stream.cpp", "framework/src/data/stream_write.cpp"}},
      {"xxh.*\\.h", {"framework/src/core/hash.cpp"}},
      {"CLI/.*", {"framework/cli/parse.cpp"}},
      {"fmt/.*", {"framework/src/", "framework/cli/"}},
  };
  return all;
}

/// What each module of the framework may include besides itself.
const std::vector<std::pair<std::string_view, std::vector<std::string_view>>>& arrows() {
  static const std::vector<std::pair<std::string_view, std::vector<std::string_view>>> all = {
      {"core", {}},
      {"kernels", {"core"}},
      {"config", {"core"}},
      {"data", {"core", "config"}},
      {"model", {"core", "config", "data"}},
      {"scoring", {"core", "config", "data", "model", "kernels"}},
      {"nn", {"core", "config", "data", "model", "kernels", "scoring"}},
      {"eval", {"core", "config", "data", "model", "kernels", "scoring"}},
      {"train", {"core", "config", "data", "model", "scoring", "nn", "eval"}},
      {"plugin", {"core", "config", "data", "model", "scoring", "nn", "eval", "train"}},
      {"host",
       {"core", "config", "data", "model", "scoring", "nn", "eval", "train", "plugin", "kernels"}},
      {"testing",
       {"core", "config", "data", "model", "scoring", "nn", "eval", "train", "plugin", "host"}},
  };
  return all;
}

bool starts_with_any(std::string_view path, const std::vector<std::string_view>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return path.starts_with(prefix); });
}

bool is_standard(std::string_view header) {
  return std::all_of(header.begin(), header.end(),
                     [](char c) { return std::islower(c) || std::isdigit(c) || c == '_'; });
}

/// Headers of the system and the compiler, open to framework/src and framework/cli.
bool is_system(std::string_view header) {
  static constexpr std::array kNames = {
      "cxxabi.h",  "dirent.h", "dlfcn.h",  "errno.h",    "fcntl.h",  "link.h", "poll.h",
      "pthread.h", "sched.h",  "signal.h", "termios.h",  "unistd.h", "elf.h",  "glob.h",
      "fnmatch.h", "cpuid.h",  "iconv.h",  "linux/fs.h", "malloc.h", "pwd.h",  "time.h"};
  return header.starts_with("sys/") ||
         std::find(kNames.begin(), kNames.end(), header) != kNames.end();
}

/// The module of a file or of a project header: the folder below include/recloom or src.
std::string_view module_of(std::string_view path) {
  for (std::string_view root :
       {"framework/include/recloom/", "framework/src/", "framework/", "recloom/"})
    if (path.starts_with(root)) path.remove_prefix(root.size());
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? "host" : path.substr(0, slash);
}

std::optional<std::string> project_breach(std::string_view path, std::string_view header) {
  const bool is_public = header.starts_with("recloom/");
  if (path.starts_with("plugins/")) {
    if (is_public || header.find('/') == std::string_view::npos) return std::nullopt;
    return "a plugin includes only recloom/...";
  }
  if (path.starts_with("framework/include/") && !is_public)
    return "a public header includes only public headers";
  if (path.starts_with("framework/cli/")) {
    if (header == "recloom/recloom.hpp" || header == "recloom/serving.hpp" ||
        header == "recloom/authoring.hpp" || header == "recloom/testing/conformance.hpp" ||
        header.starts_with("cli/"))
      return std::nullopt;
    return "the program stands on recloom/recloom.hpp, recloom/serving.hpp, "
           "recloom/authoring.hpp and recloom/testing/conformance.hpp alone";
  }
  const std::string_view from = module_of(path), to = module_of(header);
  if (from == to) return std::nullopt;
  for (const auto& [module, below] : arrows())
    if (module == from) {
      if (std::find(below.begin(), below.end(), to) != below.end()) return std::nullopt;
      return "module " + std::string(from) + " may not stand on " + std::string(to);
    }
  return "module " + std::string(from) + " is not known to the include rule";
}

std::optional<std::string> foreign_breach(std::string_view path, std::string_view header) {
  if (is_standard(header)) return std::nullopt;
  const bool is_inside = path.starts_with("framework/src/") || path.starts_with("framework/cli/");
  if (is_system(header)) {
    if (is_inside) return std::nullopt;
    return "system headers stay inside framework/src and framework/cli";
  }
  for (const Door& door : doors())
    if (std::regex_match(std::string(header), std::regex(std::string(door.headers)))) {
      if (starts_with_any(path, door.open_to)) return std::nullopt;
      return "only " + std::string(door.open_to.front()) + "... may include this library";
    }
  return "no door is known for this header";
}

std::string place(std::string_view path, int line) {
  return std::string(path) + ":" + std::to_string(line) + ": ";
}

/// "shard" of "nn/exec/shard.hpp".
std::string_view stem_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

/// Of a file or of a project header.
std::string unit_of(std::string_view path) {
  return std::string(module_of(path)) + "/" + std::string(stem_of(path));
}

/// Which unit includes which, with the first line that does.
using UnitGraph = std::map<std::string, std::map<std::string, std::string>>;

UnitGraph unit_graph(const SourceFiles& files) {
  UnitGraph graph;
  for (const auto& [path, text] : files) graph[unit_of(path)];
  for (const auto& [path, text] : files)
    for (const Include& include : includes_of(text)) {
      const std::string from = unit_of(path), to = unit_of(include.header);
      if (include.quoted && from != to && graph.contains(to))
        graph[from].emplace(to, place(path, include.line) + include.header);
    }
  return graph;
}

/// Return the units of the shortest way from a unit back to it, each once; empty: there is none.
std::vector<std::string> shortest_cycle(const UnitGraph& graph, const std::string& start) {
  std::map<std::string, std::string> reached_from;
  std::deque<std::string> waiting = {start};
  for (; !waiting.empty(); waiting.pop_front()) {
    const std::string& unit = waiting.front();
    for (const auto& [next, line] : graph.at(unit)) {
      if (next != start) {
        if (reached_from.emplace(next, unit).second) waiting.push_back(next);
        continue;
      }
      std::deque<std::string> way = {unit};
      while (way.front() != start) way.push_front(reached_from.at(way.front()));
      return {way.begin(), way.end()};
    }
  }
  return {};
}

std::string cycle_text(const UnitGraph& graph, const std::vector<std::string>& units) {
  std::string names = units.front(), lines;
  for (std::size_t at = 0; at < units.size(); ++at) {
    const std::string& next = units[(at + 1) % units.size()];
    names += " -> " + next;
    lines += (at == 0 ? "" : ", ") + graph.at(units[at]).at(next);
  }
  return names + " (" + lines + ")";
}

/// Each may include itself and those in front of it.
constexpr std::array<std::string_view, 8> kNnFolders = {"graph", "ops",  "layers", "passes",
                                                        "optim", "exec", "query",  "step"};

/// Folders of public headers that have no .cpp of their name.
const std::map<std::string_view, std::string_view>& folders_of_lone_headers() {
  static const std::map<std::string_view, std::string_view> all = {
      {"convolution", "graph"},
      {"derivation", "graph"},
      {"init", "graph"},
      {"item_head", "graph"},
      {"op", "graph"},
      {"shape", "graph"},
      {"var", "graph"},
      {"loss_reduction", "graph"},
      {"losses", "ops"},
      {"ops", "ops"},
      {"inputs", "layers"},
      {"modules", "layers"},
      {"optimizer_options", "optim"},
      {"network_recommender", "query"}};
  return all;
}

/// Knows in which folder of nn a file or header lies.
class NnFolders {
 public:
  explicit NnFolders(const SourceFiles& files) {
    for (const auto& [path, text] : files)
      if (const auto folder = place_in_nn(path); folder && path.ends_with(".cpp"))
        of_sources_.emplace(stem_of(path), *folder);
  }

  /// Return the place in kNnFolders; nothing for what lies in none, or not in nn.
  std::optional<std::size_t> place_of(std::string_view path) const {
    if (module_of(path) != "nn") return std::nullopt;
    const bool is_public = path.starts_with("recloom/") || path.starts_with("framework/include/");
    if (!is_public) return place_in_nn(path);
    const auto source = of_sources_.find(stem_of(path));
    if (source != of_sources_.end()) return source->second;
    const auto lone = folders_of_lone_headers().find(stem_of(path));
    return lone == folders_of_lone_headers().end() ? std::nullopt : place_of_name(lone->second);
  }

 private:
  static std::optional<std::size_t> place_of_name(std::string_view folder) {
    const auto* found = std::find(kNnFolders.begin(), kNnFolders.end(), folder);
    if (found == kNnFolders.end()) return std::nullopt;
    return static_cast<std::size_t>(found - kNnFolders.begin());
  }

  /// By the path alone: "framework/src/nn/graph/x.cpp", "nn/graph/x.hpp".
  static std::optional<std::size_t> place_in_nn(std::string_view path) {
    const std::size_t end = path.rfind('/'), begin = path.rfind('/', end - 1) + 1;
    const bool is_below = path.substr(0, begin).ends_with("nn/");
    return is_below ? place_of_name(path.substr(begin, end - begin)) : std::nullopt;
  }

  std::map<std::string_view, std::size_t> of_sources_;
};

std::string_view without_comment(std::string_view line) {
  return line.substr(0, std::min(line.find("//"), line.size()));
}

}  // namespace

std::vector<Include> includes_of(std::string_view text) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  std::istringstream stream{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    std::smatch match;
    if (std::regex_search(line, match, pattern))
      found.push_back({number, match[2].str(), match[1].str() == "\""});
  }
  return found;
}

std::vector<std::string> include_breaches(std::string_view path, std::string_view text) {
  std::vector<std::string> breaches;
  for (const Include& include : includes_of(text)) {
    const auto reason = include.quoted ? project_breach(path, include.header)
                                       : foreign_breach(path, include.header);
    if (reason)
      breaches.push_back(place(path, include.line) + "#include of " + include.header + ": " +
                         *reason);
  }
  return breaches;
}

std::vector<std::string> unit_cycles(const SourceFiles& files) {
  const UnitGraph graph = unit_graph(files);
  std::set<std::vector<std::string>> cycles;
  for (const auto& [unit, included] : graph) {
    std::vector<std::string> cycle = shortest_cycle(graph, unit);
    // The same cycle, wherever it is entered.
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    if (!cycle.empty()) cycles.insert(std::move(cycle));
  }
  std::vector<std::string> lines;
  lines.reserve(cycles.size());
  for (const std::vector<std::string>& cycle : cycles) lines.push_back(cycle_text(graph, cycle));
  return lines;
}

std::vector<std::string> nn_folder_breaches(const SourceFiles& files) {
  const NnFolders folders(files);
  std::vector<std::string> breaches;
  for (const auto& [path, text] : files) {
    const auto from = folders.place_of(path);
    for (const Include& include : includes_of(text)) {
      const auto to = folders.place_of(include.header);
      if (!include.quoted || !from || !to || *to <= *from) continue;
      breaches.push_back(place(path, include.line) + "#include of " + include.header +
                         ": nn's folder " + std::string(kNnFolders[*from]) + " may not stand on " +
                         std::string(kNnFolders[*to]));
    }
  }
  return breaches;
}

std::vector<std::string> nn_files_outside_folders(const SourceFiles& files) {
  const NnFolders folders(files);
  std::vector<std::string> outside;
  for (const auto& [path, text] : files)
    if (module_of(path) == "nn" && !folders.place_of(path))
      outside.push_back(path + ": lies in no folder that the include rule knows of nn");
  return outside;
}

std::vector<std::string> model_name_breaches(std::string_view path, std::string_view text,
                                             const std::vector<std::string>& models) {
  std::vector<std::string> breaches;
  std::istringstream stream{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    const std::string code(without_comment(line));
    for (const std::string& model : models) {
      // A short name is also a word of the language ("pop"); as a literal it can only be the model.
      const std::string word = model.size() > 3 ? "\\b" + model + "\\b" : "\"" + model + "\"";
      if (std::regex_search(code, std::regex(word, std::regex::icase)))
        breaches.push_back(place(path, number) + "the framework names the model " + model);
    }
  }
  return breaches;
}

}  // namespace recloom::testing
