// Model files that say what is not so, with right hashes: each is refused with one line that names
// the file, before anything that it says is relied on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "core/json.hpp"
#include "host/toy_log.hpp"
#include "recloom/recloom.hpp"
#include "support/loose_safetensors.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using ::testing::HasSubstr;
using testing::LooseFile;

class HostileModelFile : public ::testing::Test {
 protected:
  HostileModelFile() { folder.write("toy.inter", testing::toy_log()); }

  /// Train a model of 9 users and 7 items, padding included, and take its file apart.
  LooseFile trained(const std::string& model, const std::string& setting = "train.epochs=1") {
    ConfigRequest request;
    request.data = folder.file("toy.inter");
    request.model = model;
    request.settings = {{"--set", setting}, {"--set", "data.max_length=5"}};
    const RunConfig config = resolve_config(request, plugins);
    const Dataset data = open_dataset(config, run);
    Recommender recommender = Recommender::create(config, data, plugins);
    recommender.train(data, run);
    recommender.save(file);
    return LooseFile(file);
  }

  /// Load and recommend. @return the error, without the beginning that every one has.
  std::string reason(const LooseFile& changed) {
    changed.write(file);
    const std::string start = "model file " + file + ": ";
    try {
      const Recommender loaded = Recommender::load(file, plugins);
      const std::vector<QueryHistory> histories{{"u1", {"i0", "i1", "i5"}}, {"", {}}};
      loaded.recommend(histories, {}, run);
    } catch (const IoError& error) {
      const std::string text = error.what();
      EXPECT_TRUE(text.starts_with(start)) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos);
      return text.substr(std::min(start.size(), text.size()));
    }
    return "it was loaded";
  }

  template <class T>
  std::string with_buffer(const LooseFile& good, const char* name, const std::vector<T>& values) {
    LooseFile changed = good;
    changed.tensors.at(name).set(values);
    return reason(changed);
  }

  std::string with_card(const LooseFile& good, const std::function<void(Json&)>& change) {
    LooseFile changed = good;
    Json card = Json::parse(good.metadata.at("recloom"));
    change(card);
    changed.metadata["recloom"] = card.dump();
    return reason(changed);
  }

  testing::TemporaryFolder folder;
  std::string file = folder.file("m.safetensors");
  PluginRegistry plugins;
  RunContext run;
};

TEST_F(HostileModelFile, IsLoadedIfNothingWasChanged) {
  for (const char* model : {"pop", "markov", "gru4rec"})
    EXPECT_EQ(reason(trained(model)), "it was loaded") << model;
}

TEST_F(HostileModelFile, BuffersOfAnotherSize) {
  const LooseFile pop = trained("pop");
  EXPECT_EQ(with_buffer(pop, "score", std::vector<float>(100000)),
            "buffer 'score' has 100000 values, the plugin wants 7");
  EXPECT_EQ(with_buffer(pop, "score", std::vector<float>{}),
            "buffer 'score' has 0 values, the plugin wants 7");
  EXPECT_EQ(with_buffer(pop, "score", std::vector<double>(7)), "tensor 'score' holds F64, not F32");
  LooseFile square = pop;
  square.tensors.at("score").shape = {7, 1};
  EXPECT_EQ(reason(square), "tensor 'score' is no list");
  const LooseFile markov = trained("markov");
  EXPECT_EQ(with_buffer(markov, "begins", std::vector<std::int64_t>(7)),
            "buffer 'begins' has 7 values, the plugin wants 8");
}

TEST_F(HostileModelFile, BuffersThatThePluginRefuses) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(with_buffer(trained("pop"), "score", std::vector<float>{0, 1, 1, nan, 1, 1, 1}),
            "plugin 'pop' refuses it: buffer 'score' holds a number that is not finite");
  const LooseFile markov = trained("markov");
  const auto begins = markov.tensors.at("begins").get<std::int64_t>();
  const auto next = markov.tensors.at("next").get<std::int32_t>();
  const auto with = [&](auto values, std::size_t at, auto value) {
    values.at(at) = value;
    return values;
  };
  const std::string refused = "plugin 'markov' refuses it: ";
  const std::string offsets =
      refused + "buffer 'begins' does not ascend from 0 to the size of 'next'";
  const std::string ids = refused + "buffer 'next' holds what are no items in ascending order";
  EXPECT_EQ(with_buffer(markov, "begins", with(begins, 3, std::int64_t{1} << 60)), offsets);
  EXPECT_EQ(with_buffer(markov, "begins", with(begins, 3, std::int64_t{-1})), offsets);
  EXPECT_EQ(with_buffer(markov, "begins", with(begins, 0, std::int64_t{1})), offsets);
  EXPECT_EQ(with_buffer(markov, "begins", with(begins, 7, begins[7] + 1)), offsets);
  for (const std::int32_t id : {0, -1, 7, 1 << 30})
    EXPECT_EQ(with_buffer(markov, "next", with(next, 0, id)), ids) << id;
  auto shorter = next;
  shorter.pop_back();
  EXPECT_EQ(with_buffer(markov, "next", shorter),
            refused + "buffers 'next' and 'counts' differ in size");
  EXPECT_EQ(with_buffer(markov, "counts", std::vector<std::int32_t>(next.size(), 0)),
            refused + "buffer 'counts' holds a count below 1");
  EXPECT_EQ(with_buffer(markov, "popularity", std::vector<float>(7, nan)),
            refused + "buffer 'popularity' holds a number that is no share");
}

TEST_F(HostileModelFile, ParametersThatAreNotThePlugins) {
  const LooseFile good = trained("gru4rec");
  const std::string name = "item_embedding.weight";
  ASSERT_TRUE(good.tensors.contains(name));
  LooseFile bad = good;
  std::vector<float> values = good.tensors.at(name).get<float>();
  values[3] = std::numeric_limits<float>::infinity();
  const auto shape = good.tensors.at(name).shape;
  bad.tensors.at(name).set(values);
  bad.tensors.at(name).shape = shape;
  EXPECT_EQ(reason(bad), "tensor '" + name + "' holds inf at 3");
  LooseFile turned = good;
  std::swap(turned.tensors.at(name).shape[0], turned.tensors.at(name).shape[1]);
  EXPECT_THAT(reason(turned), HasSubstr("tensor '" + name +
                                        "' has shape [64, 7], the plugin wants "
                                        "[7, 64]"));
  LooseFile fewer = good;
  fewer.tensors.erase(name);
  EXPECT_THAT(reason(fewer), HasSubstr("tensor '" + name + "' is missing"));
  LooseFile more = good;
  more.tensors["other"] = good.tensors.at(name);
  EXPECT_EQ(reason(more), "it has a tensor 'other', which plugin 'gru4rec' does not");
}

// A card that asks for 4 GB and more is compared with the tensors that there are before that.
TEST_F(HostileModelFile, SizesThatOnlyTheCardClaims) {
  const LooseFile good = trained("sasrec", "model.params.hidden_size=8");
  for (const std::int64_t length : {std::int64_t{16777216}, std::int64_t{2147483647}})
    EXPECT_THAT(
        with_card(good,
                  [&](Json& card) {
                    card["catalogue"]["max_length"] = length;
                    card["config"]["data"]["max_length"] = length;
                  }),
        HasSubstr("has shape [5, 8], the plugin wants [" + std::to_string(length) + ", 8]"));
  EXPECT_THAT(
      with_card(good, [](Json& card) { card["config"]["model"]["params"]["hidden_size"] = 4096; }),
      HasSubstr("the plugin wants [7, 4096]"));
}

TEST_F(HostileModelFile, NumbersOfTheCard) {
  const LooseFile good = trained("markov");
  const auto with = [&](const char* field, const Json& value) {
    return with_card(good, [&](Json& card) { card[Json::json_pointer(field)] = value; });
  };
  const std::string range = ": must be an integer from 1 to 2147483647";
  EXPECT_EQ(with("/catalogue/max_length", -1), "catalogue.max_length = -1" + range);
  EXPECT_EQ(with("/catalogue/max_length", 0), "catalogue.max_length = 0" + range);
  EXPECT_EQ(with("/catalogue/max_length", 6),
            "catalogue.max_length = 6: must be 5, as config.data.max_length is");
  EXPECT_EQ(with("/catalogue/n_items", 4294967296 + 7), "catalogue.n_items = 4294967303" + range);
  EXPECT_EQ(with("/catalogue/n_items", 0), "catalogue.n_items = 0" + range);
  EXPECT_EQ(with("/catalogue/n_items", 7.0), "catalogue.n_items = 7.0" + range);
  EXPECT_EQ(with("/catalogue/n_items", 8),
            "recloom.vocabulary.items has 7 entries, its catalogue 8");
  EXPECT_EQ(with("/catalogue/n_users", "9"), "catalogue.n_users = \"9\"" + range);
  EXPECT_EQ(with("/format_version", 4294967297), "it has format 4294967297, this is recloom " +
                                                     std::string(version()) +
                                                     ", which reads formats 1 and 2");
  EXPECT_EQ(with("/seed", -1), "seed = -1: must be an integer from 0 to 18446744073709551615");
  EXPECT_EQ(with("/metrics", {{"test.hit@10", nullptr}}),
            "metrics.test.hit@10 = null: must be a number");
  EXPECT_EQ(with("/config/model/params/smoothing", -1),
            "model.params.smoothing = -1: must be a number from 1e-09 to 1000000000");
  EXPECT_THAT(with("/config/train/epochs", 4294967297), HasSubstr("train.epochs = 4294967297"));
  EXPECT_THAT(with("/config/train/epochs", 18446744073709551615U),
              HasSubstr("train.epochs = 18446744073709551615"));
  EXPECT_EQ(with("/config/data/item_file", "/etc/passwd"),
            "config.data.item_file = '/etc/passwd': must be a file's name without a folder");
  EXPECT_THAT(with("/config/model/params", true), HasSubstr("config.model.params = true: is no "));
  EXPECT_EQ(with("/config/train/clip_norm", Json::object()), "train.clip_norm holds nothing");
  EXPECT_EQ(with("/config/model/name", true),
            "config.model.name: must be 'markov', as plugin.name is");
  EXPECT_THAT(with("/config/eval/topk", {0}), HasSubstr("eval.topk"));
  EXPECT_THAT(with("/config/eval/metric_params/a.b.c", 1), HasSubstr("'a.b.c' is no name"));
  EXPECT_EQ(with("/plugin", "markov"), "plugin is no object");
}

TEST_F(HostileModelFile, NotesOfTrainedRowsThatAreNone) {
  const LooseFile good = trained("pop");
  const auto with = [&](const char* name, const auto& values) {
    return with_buffer(good, (std::string("recloom.trained.") + name).c_str(), values);
  };
  using Ids = std::vector<std::int32_t>;
  const Ids users = good.tensors.at("recloom.trained.users").get<std::int32_t>();
  EXPECT_EQ(users, (Ids{1, 2, 3, 4, 5, 6, 7, 8}));
  const std::string refused =
      "tensor 'recloom.trained.users' holds what are no users in ascending order";
  EXPECT_EQ(with("users", Ids{1, 2, 3, 4, 5, 6, 7, 9}), refused);
  EXPECT_EQ(with("users", Ids{0, 2, 3, 4, 5, 6, 7, 8}), refused);
  EXPECT_EQ(with("users", Ids{2, 1, 3, 4, 5, 6, 7, 8}), refused);
  EXPECT_EQ(with("users", Ids{1}), "tensor 'recloom.trained.events' has 8 values, must have 1");
  EXPECT_EQ(with("events", Ids{2, 2, 2, 2, 2, 2, 2, 1}),
            "tensor 'recloom.trained.events' holds 1, must be at least 2");
  EXPECT_EQ(with("hashes", Ids(8)), "tensor 'recloom.trained.hashes' holds I32, not I64");
  EXPECT_EQ(with("counts", std::vector<std::int64_t>(6)),
            "tensor 'recloom.trained.counts' has 6 values, must have 7");
  EXPECT_EQ(with("counts", std::vector<std::int64_t>(7, -1)),
            "tensor 'recloom.trained.counts' holds -1, must be at least 0");
  LooseFile less = good;
  less.tensors.erase("recloom.trained.counts");
  EXPECT_EQ(reason(less), "tensor 'recloom.trained.counts' is missing");
}

TEST_F(HostileModelFile, DocumentsThatOverrunAReader) {
  LooseFile bad = trained("pop");
  const std::string deep(300000, '[');
  bad.metadata["recloom"] = deep;
  EXPECT_EQ(reason(bad), "values are nested deeper than 32 times");
  bad.metadata["recloom"] = "{\"config\":{\"a\":" + deep;
  EXPECT_EQ(reason(bad), "values are nested deeper than 32 times");
  bad.metadata["recloom"] = R"({"seed":1,"seed":2})";
  EXPECT_EQ(reason(bad), "the key 'seed' comes twice");
  bad.metadata.erase("recloom");
  EXPECT_EQ(reason(bad), "it is no model file of recloom");
}

TEST_F(HostileModelFile, VocabulariesThatAreNone) {
  const LooseFile good = trained("pop");
  const std::string items = "recloom.vocabulary.items";
  const auto ends = good.tensors.at(items + ".ends").get<std::int64_t>();
  const auto with_ends = [&](std::size_t at, std::int64_t value) {
    LooseFile bad = good;
    auto changed = ends;
    changed.at(at) = value;
    bad.tensors.at(items + ".ends").set(changed);
    return reason(bad);
  };
  EXPECT_EQ(with_ends(2, std::int64_t{1} << 40),
            items + " has an entry from 7 to 1099511627776 of 17 bytes");
  EXPECT_EQ(with_ends(2, -1), items + " has an entry from 7 to -1 of 17 bytes");
  EXPECT_EQ(with_ends(6, 16), items + " ends at 16, but has 17 bytes");
  const auto with_text = [&](const std::string& from, const std::string& to) {
    LooseFile bad = good;
    std::string& text = bad.tensors.at(items).bytes;
    text.replace(text.find(from), from.size(), to);
    return reason(bad);
  };
  EXPECT_EQ(with_text("i3", "i\xff"), items + " has the entry 'i\\xff', which is no UTF-8");
  EXPECT_EQ(with_text("i3", "i4"), items + " has 'i4' twice");
  LooseFile named = good;
  named.tensors["recloom.vocabulary.item_names"].set(std::vector<std::uint8_t>{});
  named.tensors["recloom.vocabulary.item_names.ends"].set(std::vector<std::int64_t>{0});
  EXPECT_EQ(reason(named), "recloom.vocabulary.item_names has 1 entries, its catalogue 7");
  LooseFile none = good;
  none.tensors.erase(items + ".ends");
  EXPECT_EQ(reason(none), "tensor '" + items + ".ends' is missing");
}

// Every byte of every tensor in turn, hashes right: refused, or loaded and used without harm.
TEST_F(HostileModelFile, AnyBytesInTheTensors) {
  for (const char* model : {"pop", "markov"}) {
    const LooseFile good = trained(model);
    for (const auto& [name, tensor] : good.tensors)
      for (std::size_t at = 0; at < tensor.bytes.size(); at += 5)
        for (const char bits : {'\x01', '\x80'}) {
          LooseFile bad = good;
          bad.tensors.at(name).bytes[at] = static_cast<char>(tensor.bytes[at] ^ bits);
          reason(bad);
        }
  }
}

TEST_F(HostileModelFile, FilesWithoutHashesOrOfNoKind) {
  trained("pop");
  std::string bytes = testing::read_text(file);
  for (const char* key : {"\"xxh3\"", "\"xxh3_header\""}) bytes[bytes.find(key) + 3] = 'y';
  std::ofstream(file, std::ios::binary) << bytes;
  const auto error = [&](const std::string& path) {
    try {
      Recommender::load(path, plugins);
    } catch (const IoError& failure) {
      return std::string(failure.what());
    }
    return std::string("it was loaded");
  };
  EXPECT_THAT(error(file), HasSubstr("it lacks the hashes that recloom writes"));
  EXPECT_EQ(error("/dev/zero"), "cannot open /dev/zero: no regular file");
}

}  // namespace
}  // namespace recloom
