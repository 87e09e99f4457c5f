// One safetensors file. Tensors: the model's parameters and buffers under their own names, and the
// vocabulary as text tables (all tokens in a row, and where each ends), and what was trained on
// (host/trained_rows.hpp). Metadata "recloom": the card as a JSON document. Format 1 lacks what was
// trained on.
#include "host/model_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <new>
#include <set>
#include <span>
#include <utility>

#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "host/config_sections.hpp"
#include "host/json_params.hpp"
#include "model/safetensors.hpp"
#include "nn/graph/parameter_data.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom {
namespace {

constexpr int kFormatVersion = 2;
constexpr const char* kCard = "recloom";
constexpr const char* kUsers = "recloom.vocabulary.users";
constexpr const char* kItems = "recloom.vocabulary.items";
constexpr const char* kNames = "recloom.vocabulary.item_names";
constexpr const char* kTrainedUsers = "recloom.trained.users";
constexpr const char* kTrainedEvents = "recloom.trained.events";
constexpr const char* kTrainedHashes = "recloom.trained.hashes";
constexpr const char* kTrainedCounts = "recloom.trained.counts";

template <class T>
std::string_view bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

/// A list of texts as two tensors, <name> and <name>.ends.
struct TextTable {
  std::string text;
  std::vector<std::int64_t> ends;
  explicit TextTable(const std::vector<std::string>& list) {
    for (const std::string& entry : list) {
      text += entry;
      ends.push_back(static_cast<std::int64_t>(text.size()));
    }
  }
  void append_to(std::vector<TensorView>& tensors, const std::string& name) const {
    const auto n = static_cast<std::int64_t>(ends.size());
    tensors.push_back({name, DType::u8, {static_cast<std::int64_t>(text.size())}, text});
    tensors.push_back({name + ".ends", DType::i64, {n}, bytes_of<std::int64_t>(ends)});
  }
};

Json card_json(const ModelCard& card) {
  RunConfig config = card.config;
  // Where the files beside the log lay is a fact of the machine.
  for (std::string* file : {&config.data.user_file, &config.data.item_file,
                            &config.split.valid_file, &config.split.test_file})
    *file = std::filesystem::path(*file).filename().string();
  // So is how much it could read.
  config.data.max_events = DataOptions().max_events;
  config.data.max_text_gib = DataOptions().max_text_gib;
  Json json;
  json["format_version"] = card.trained.known ? kFormatVersion : 1;
  json["recloom_version"] = version();
  json["plugin"] = {{"name", card.plugin}, {"version", as_utf8(card.plugin_version)}};
  json["catalogue"] = {{"n_users", card.catalogue.n_users},
                       {"n_items", card.catalogue.n_items},
                       {"max_length", card.catalogue.max_length}};
  json["dataset_hash"] = card.dataset_hash;
  if (card.trained.known) json["log_hash"] = card.trained.log_hash;
  json["protocol_hash"] = config.protocol_hash();
  json["protocol"] = to_json(config.protocol());
  json["seed"] = config.seed;
  json["config"] = to_json(config.values());
  json["metrics"] = card.metrics;
  return json;
}

Params without(const Params& all, const std::string& prefix) {
  Params rest;
  for (const auto& [key, value] : all.values())
    if (!key.starts_with(prefix)) rest.set(key, value);
  return rest;
}

/// What is read beside a log must not be named by whoever made the file: card_json() keeps no
/// folder.
void require_bare_name(const char* key, const std::string& file) {
  if (file != std::filesystem::path(file).filename())
    throw ConfigError(fmt::format("config.{} = '{}': must be a file's name without a folder", key,
                                  printable(file)));
}

RunConfig config_from(const JsonObject& json) {
  RunConfig config;
  const Params all = params_from_json(json.object("config").json());
  config.model = json.object("plugin").text("name");
  config.seed = json.integer<std::uint64_t>("seed");
  config.model_params = all.below("model.params");
  Params tables = all;
  for_each_plugin_params(config, [&](const std::string& prefix, Params& params) {
    params = all.below(prefix);
    tables = without(tables, prefix + ".");
  });
  for_each_section(config, [&](std::string_view table, auto& options) {
    assign_section(table, options, tables.below(table));
  });
  // Nothing is left out in silence: the model would be another one.
  const Params taken = config.values();
  for (const auto& [key, value] : all.values())
    if (taken.find(key) == nullptr)
      throw ConfigError(fmt::format("config.{} = {}: is no setting of recloom {}", printable(key),
                                    printable(to_text(value)), version()));
  if (all.find("model.name") == nullptr || *all.find("model.name") != Value(config.model))
    throw ConfigError(
        fmt::format("config.model.name: must be '{}', as plugin.name is", printable(config.model)));
  require_bare_name("data.user_file", config.data.user_file);
  require_bare_name("data.item_file", config.data.item_file);
  require_bare_name("split.valid_file", config.split.valid_file);
  require_bare_name("split.test_file", config.split.test_file);
  return config;
}

template <class T>
TensorView list_of(const char* name, const std::vector<T>& values) {
  return {name, dtype_of<T>(), {static_cast<std::int64_t>(values.size())}, bytes_of<T>(values)};
}

void append_trained(const TrainedRows& trained, std::vector<TensorView>& tensors) {
  if (!trained.known) return;
  tensors.push_back(list_of(kTrainedUsers, trained.users));
  tensors.push_back(list_of(kTrainedEvents, trained.events));
  tensors.push_back(list_of(kTrainedHashes, trained.hashes));
  tensors.push_back(list_of(kTrainedCounts, trained.counts));
}

std::vector<std::int64_t> extents(const nn::Shape& shape) {
  return {shape.extent, shape.extent + shape.rank};
}

}  // namespace

void write_model_file(const std::string& file, const ModelCard& card,
                      const SequentialRecommender& model) {
  std::vector<TensorView> tensors;
  if (const auto* network = dynamic_cast<const NetworkRecommender*>(&model)) {
    for (std::size_t index = 0; index < network->parameters().size(); ++index) {
      const nn::Parameter parameter = network->parameters()[index];
      tensors.push_back({std::string(parameter.name()), DType::f32, extents(parameter.shape()),
                         bytes_of<float>(parameter.values())});
    }
  }
  for (const auto& buffer : model.buffers()) {
    std::visit(
        [&](const auto* values) {
          using T = typename std::remove_reference_t<decltype(*values)>::value_type;
          tensors.push_back({buffer.name,
                             dtype_of<T>(),
                             {static_cast<std::int64_t>(values->size())},
                             bytes_of<T>(*values)});
        },
        buffer.values);
  }
  const TextTable users(card.vocabulary.users()), items(card.vocabulary.items()),
      names(card.vocabulary.item_names());
  users.append_to(tensors, kUsers);
  items.append_to(tensors, kItems);
  if (!names.ends.empty()) names.append_to(tensors, kNames);
  append_trained(card.trained, tensors);
  write_safetensors(file, tensors, {{kCard, dump_json(card_json(card))}});
}

struct ModelFile::Impl {
  std::string file;
  SafetensorsFile tensors;
  ModelCard card;

  explicit Impl(const std::string& name) : file(name), tensors(name, Hashes::required) {
    const auto found = tensors.metadata().find(kCard);
    naming_file([&] {
      if (found == tensors.metadata().end()) fail("it is no model file of recloom");
      const Json json = parse_json(found->second);
      read_card(JsonObject(json));
      read_vocabulary();
      if (card.trained.known) read_trained();
    });
  }

  /// Run what reads from the file: errors name it, and what it says wrongly is an IoError.
  template <class Body>
  auto naming_file(Body body) const -> decltype(body()) {
    const auto named = [this](const Error& error) {
      return fmt::format("model file {}: {}", printable(file, 400), printable(error.what(), 600));
    };
    try {
      return body();
    } catch (const ConfigError& error) {
      throw IoError(named(error));
    } catch (const IoError& error) {
      throw IoError(named(error));
    } catch (const ModelError& error) {
      throw ModelError(named(error));
    } catch (const PluginError& error) {
      throw PluginError(named(error));
    }
  }

  [[noreturn]] static void fail(const std::string& reason) { throw IoError(reason); }

  void read_card(const JsonObject& json) {
    const auto format = json.integer<std::int64_t>("format_version");
    if (format != 1 && format != kFormatVersion)
      fail(fmt::format("it has format {}, this is recloom {}, which reads formats 1 and {}", format,
                       version(), kFormatVersion));
    card.trained.known = format != 1;
    card.plugin = json.object("plugin").text("name");
    card.plugin_version = json.object("plugin").text("version");
    const JsonObject catalogue = json.object("catalogue");
    card.catalogue = {catalogue.integer<int>("n_users", 1), catalogue.integer<int>("n_items", 1),
                      catalogue.integer<int>("max_length", 1)};
    card.dataset_hash = json.text("dataset_hash");
    if (card.trained.known) card.trained.log_hash = json.text("log_hash");
    const JsonObject metrics = json.object("metrics");
    for (const auto& [key, value] : metrics.json().items()) card.metrics[key] = metrics.number(key);
    card.config = config_from(json);
    if (card.catalogue.max_length != card.config.data.max_length)
      catalogue.refuse("max_length", fmt::format("{}, as config.data.max_length is",
                                                 card.config.data.max_length));
  }

  std::vector<std::string> read_texts(const std::string& name, int n) const {
    const TensorView &text = list(name), &table = list(name + ".ends");
    text.require(DType::u8);
    const auto ends = table.as<std::int64_t>();
    if (ends.size() != static_cast<std::size_t>(n))
      fail(fmt::format("{} has {} entries, its catalogue {}", name, ends.size(), n));
    std::vector<std::string> texts;
    texts.reserve(ends.size());
    std::int64_t begin = 0;
    for (const std::int64_t end : ends) {
      if (end < begin || end > static_cast<std::int64_t>(text.bytes.size()))
        fail(fmt::format("{} has an entry from {} to {} of {} bytes", name, begin, end,
                         text.bytes.size()));
      texts.emplace_back(text.bytes.substr(static_cast<std::size_t>(begin),
                                           static_cast<std::size_t>(end - begin)));
      if (!is_utf8(texts.back()))
        fail(
            fmt::format("{} has the entry '{}', which is no UTF-8", name, printable(texts.back())));
      begin = end;
    }
    if (begin != static_cast<std::int64_t>(text.bytes.size()))
      fail(fmt::format("{} ends at {}, but has {} bytes", name, begin, text.bytes.size()));
    return texts;
  }

  /// Of two items with one token, one could never be asked for. Hashes are compared first, since
  /// sorting texts would take longer than all else.
  std::vector<std::string> read_tokens(const std::string& name, int n) const {
    std::vector<std::string> tokens = read_texts(name, n);
    const std::span<const std::string> real = std::span(tokens).subspan(1);
    std::vector<std::uint64_t> hashes;
    hashes.reserve(real.size());
    for (const std::string& token : real) hashes.push_back(hash64(token));
    std::sort(hashes.begin(), hashes.end());
    if (std::adjacent_find(hashes.begin(), hashes.end()) == hashes.end()) return tokens;
    std::set<std::string_view> seen;
    for (const std::string& token : real)
      if (!seen.insert(token).second)
        fail(fmt::format("{} has '{}' twice", name, printable(token)));
    return tokens;
  }

  void read_vocabulary() {
    const Catalogue& sizes = card.catalogue;
    std::vector<std::string> names;
    if (tensors.find(kNames) != nullptr) names = read_texts(kNames, sizes.n_items);
    card.vocabulary = Vocabulary(read_tokens(kUsers, sizes.n_users),
                                 read_tokens(kItems, sizes.n_items), std::move(names));
  }

  template <class T>
  void read_list(const char* name, std::vector<T>& values, std::size_t n) const {
    const auto stored = list(name).as<T>();
    if (stored.size() != n)
      fail(fmt::format("tensor '{}' has {} values, must have {}", name, stored.size(), n));
    values.assign(stored.begin(), stored.end());
  }

  void read_trained() {
    TrainedRows& trained = card.trained;
    const auto n = static_cast<std::size_t>(list(kTrainedUsers).shape[0]);
    read_list(kTrainedUsers, trained.users, n);
    read_list(kTrainedEvents, trained.events, n);
    read_list(kTrainedHashes, trained.hashes, n);
    read_list(kTrainedCounts, trained.counts, static_cast<std::size_t>(card.catalogue.n_items));
    if (!std::ranges::is_sorted(trained.users) ||
        (n > 0 && (trained.users.front() < 1 || trained.users.back() >= card.catalogue.n_users)))
      fail(fmt::format("tensor '{}' holds what are no users in ascending order", kTrainedUsers));
    const auto least = [&](const auto& values, std::int64_t low, const char* name) {
      for (const auto value : values)
        if (value < low)
          fail(fmt::format("tensor '{}' holds {}, must be at least {}", name, value, low));
    };
    least(trained.events, 2, kTrainedEvents);
    least(trained.counts, 0, kTrainedCounts);
  }

  const TensorView& tensor(const std::string& name) const {
    const TensorView* found = tensors.find(name);
    if (!found) fail(fmt::format("tensor '{}' is missing", name));
    return *found;
  }

  const TensorView& list(const std::string& name) const {
    const TensorView& found = tensor(name);
    if (found.shape.size() != 1) fail(fmt::format("tensor '{}' is no list", name));
    return found;
  }

  void require_shape(std::string_view name, const nn::Shape& shape) const {
    const TensorView& stored = tensor(std::string(name));
    if (stored.shape != extents(shape))
      fail(fmt::format("tensor '{}' has shape [{}], the plugin wants [{}]", name,
                       fmt::join(stored.shape, ", "), fmt::join(extents(shape), ", ")));
  }

  void read_parameter(const nn::Parameter& parameter) const {
    require_shape(parameter.name(), parameter.shape());
    const auto values = tensor(std::string(parameter.name())).as<float>();
    const auto bad =
        std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
    if (bad != values.end())
      fail(fmt::format("tensor '{}' holds {} at {}", parameter.name(), *bad, bad - values.begin()));
    parameter.assign(values);
  }

  /// A buffer that the constructor gave a size keeps it; an empty one takes what there is.
  template <class T>
  void read_buffer(const std::string& name, std::vector<T>& values) const {
    const auto stored = list(name).as<T>();
    if (!values.empty() && stored.size() != values.size())
      fail(fmt::format("buffer '{}' has {} values, the plugin wants {}", name, stored.size(),
                       values.size()));
    values.assign(stored.begin(), stored.end());
  }

  /// A tensor that nobody asks for shows that the plugin is not the one that wrote the file.
  void require_wanted(const std::set<std::string, std::less<>>& wanted) const {
    for (const TensorView& stored : tensors.tensors())
      if (!wanted.contains(stored.name))
        fail(fmt::format("it has a tensor '{}', which plugin '{}' does not", printable(stored.name),
                         printable(card.plugin)));
  }

  void read_into(SequentialRecommender& model) const {
    std::set<std::string, std::less<>> wanted;
    for (const char* table : {kUsers, kItems, kNames})
      wanted.insert({std::string(table), std::string(table) + ".ends"});
    if (card.trained.known)
      wanted.insert({kTrainedUsers, kTrainedEvents, kTrainedHashes, kTrainedCounts});
    if (auto* network = dynamic_cast<NetworkRecommender*>(&model))
      for (std::size_t index = 0; index < network->parameters().size(); ++index) {
        read_parameter(network->parameters()[index]);
        wanted.emplace(network->parameters()[index].name());
      }
    for (const auto& buffer : model.buffers()) {
      std::visit([&](auto* values) { read_buffer(buffer.name, *values); }, buffer.values);
      wanted.insert(buffer.name);
    }
    require_wanted(wanted);
    after_load(model);
  }

  void after_load(SequentialRecommender& model) const {
    const auto refused = [&](std::string_view reason) {
      fail(fmt::format("plugin '{}' refuses it: {}", printable(card.plugin), reason));
    };
    try {
      model.after_load();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const Interrupted&) {
      throw;
    } catch (const std::exception& error) {
      refused(error.what());
    } catch (...) {
      refused("it gave no reason");
    }
  }
};

ModelFile::ModelFile(const std::string& file) : impl_(std::make_unique<Impl>(file)) {}
ModelFile::~ModelFile() = default;
const ModelCard& ModelFile::card() const noexcept { return impl_->card; }

Model ModelFile::make(const PluginRegistry& plugins) const {
  const ModelCard& card = impl_->card;
  plugins.find(card.plugin);
  const nn::DeclarationWatch watch(
      [this](std::string_view name, const nn::Shape& shape) { impl_->require_shape(name, shape); });
  return impl_->naming_file(
      [&] { return plugins.create(card.plugin, card.config.model_params, card.catalogue); });
}

void ModelFile::read_into(SequentialRecommender& model) const {
  impl_->naming_file([&] { impl_->read_into(model); });
}

}  // namespace recloom
