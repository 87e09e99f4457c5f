#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "recloom/core/run_context.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/data/dataset.hpp"

namespace recloom {

/// What a model was trained on, without the events themselves. The rows of a stretch have all of
/// its events but the first as targets; nearly always it is the beginning of a user's events.
struct TrainedRows {
  bool known = false;  ///< False: read from a file of a version that did not note them.
  std::vector<std::int32_t> users;   ///< [stretches] ids, ascending; one may come again.
  std::vector<std::int32_t> events;  ///< [stretches] 2 at least.
  std::vector<std::int64_t> hashes;  ///< [stretches] of the items' tokens in their order.
  std::vector<std::int64_t> counts;  ///< [n_items] rows that asked for an item.
  std::string log_hash;              ///< See hash_of_log(); "": of none.
};

/// Return 16 hexadecimal digits that stand for users, items and events, whatever the split.
/// @throws Interrupted.
RECLOOM_API std::string hash_of_log(const Dataset& dataset, const RunContext& run);
/// Note the training rows of a data set, in its ids. No stop request ends it: a training that was
/// stopped notes them, too. @param log_hash as hash_of_log() gave it before.
RECLOOM_API TrainedRows note_trained_rows(const Dataset& dataset, std::string log_hash);
/// Return what there is before any training; what it is made for is trained on no log yet.
TrainedRows no_trained_rows(const Dataset& dataset);

struct SeenRows {
  std::int64_t trained = 0;    ///< The very events were trained on, the target among them.
  std::int64_t uncertain = 0;  ///< The user was trained on with other events.
};
/// Find out which rows a model was trained on. Who is unknown by the name of a session (USER#1, see
/// data.session_gap) and known by another is uncertain. @param rows of `dataset`. @param known the
/// same rows with the model's ids of their users, 0 where it does not know them. @param vocabulary
/// the model's. @param trained_on_sessions data.session_gap of the training is not 0. @throws
/// Interrupted.
RECLOOM_API SeenRows count_seen_rows(const TrainedRows& trained, const Dataset& dataset,
                                     const Batch& rows, std::span<const Batch::Entry> known,
                                     const Vocabulary& vocabulary, bool trained_on_sessions,
                                     const RunContext& run);

}  // namespace recloom
