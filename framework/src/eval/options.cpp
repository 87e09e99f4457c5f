#include "recloom/eval/options.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {

namespace {

/// Read the N of a form like "uniN". @return nothing if `text` has another form.
std::optional<int> number_in(std::string_view text, std::string_view form) {
  const std::string_view word = form.substr(0, form.size() - 1);
  if (!text.starts_with(word)) return std::nullopt;
  const std::string_view digits = text.substr(word.size());
  // A sign or a space would be accepted by a lenient parser of numbers.
  const bool all_digits = std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  std::int64_t count = 0;
  if (!all_digits || !parse_number(digits, count)) return std::nullopt;
  if (count < 1 || count > std::numeric_limits<int>::max()) return std::nullopt;
  return static_cast<int>(count);
}

}  // namespace

std::optional<CandidateSpec> parse_candidates(const std::string& text) {
  if (text == "full") return std::nullopt;
  if (const auto count = number_in(text, "uniN"))
    return CandidateSpec{CandidateMode::uniform, *count};
  if (const auto count = number_in(text, "popN"))
    return CandidateSpec{CandidateMode::popularity, *count};
  const std::string nearby[] = {"full", "uni100", "pop100"};
  throw ConfigError("eval.candidates = \"" + printable(text) +
                    "\": must be full, uniN or popN with N >= 1, for example uni100" +
                    did_you_mean(text, nearby));
}

void EvalOptions::describe(ParamSchema& schema) {
  schema
      .texts(
          "metrics", metrics,
          "metrics to compute: hit, mrr, ndcg, recall, precision, map, ap, gauc, itemcoverage, "
          "averagepopularity, shannonentropy, giniindex, tailpercentage, or metric plugins. map is "
          "the average precision at each K; ap that over the whole list, without K: its mean is "
          "what papers without a cut-off call MAP. A row is one target event, and each row weighs "
          "the same: with one target, recall is hit. Others group a user's held-out items into one "
          "row and average over users, another number: split.targets = together. itemcoverage "
          "divides by the number of items and one more for padding, as "
          "RecBole's item_num")
      .source("RecBole 1.2.1, recbole/evaluator/metrics.py")
      .integers("topk", topk, {1, std::numeric_limits<std::int32_t>::max()},
                "cut-offs K of the metrics at K; every metric is computed at all of them")
      .choice(
          "mask_history", mask_history,
          {{"none", MaskHistory::none},
           {"input", MaskHistory::input},
           {"full", MaskHistory::full},
           {"strict", MaskHistory::strict}},
          "items of a row's history that are no candidates: none, those that the model sees "
          "(input: the last data.max_length), or all earlier ones (full); a target always stays a "
          "candidate. strict = all earlier ones, a target among them too: it is a miss")
      .choice("ties", ties,
              {{"by_id", TieRule::by_id},
               {"optimistic", TieRule::optimistic},
               {"pessimistic", TieRule::pessimistic},
               {"mean", TieRule::mean}},
              "rank of a relevant item among equal scores: smaller id first, best place, worst "
              "place, or the mean of both; top-k lists are by id under every rule")
      .choice("precision_divisor", precision_divisor,
              {{"k", PrecisionDivisor::k}, {"list", PrecisionDivisor::list}},
              "what precision divides by where fewer than K items are ranked: K (as RecBole), or "
              "the length of the list (as caser_pytorch)")
      .choice(
          "cold_targets", cold_targets,
          {{"count", ColdTargets::count}, {"drop", ColdTargets::drop}},
          "rows none of whose targets a training row of the split asks for: count = ranked like "
          "all others, drop = left out; how many there are is reported in both cases")
      .text(
          "candidates", candidates,
          "what targets are ranked against: full (every item), uniN (N items drawn uniformly) or "
          "popN (drawn in proportion to count^popularity_alpha); never the row's other targets or "
          "masked history; all there are where there are fewer than N")
      .flag("candidates_redrawn", candidates_redrawn,
            "draw candidates afresh for every evaluation and with replacement, repeats counting "
            "once, as RecBole does; otherwise they are N different items, fixed by (seed, row)")
      .real("popularity_alpha", popularity_alpha, {0, 100},
            "exponent of the counts that popN draws by; items without a count are never drawn")
      .real("tail_ratio", tail_ratio, {0, 1e18},
            "tailpercentage: the share of trained items that is the tail, least frequent first; "
            "above 1 the largest count that is tail");
  std::ranges::sort(topk);
  topk.erase(std::ranges::unique(topk).begin(), topk.end());
  validate();
}

void EvalOptions::validate() const {
  if (topk.empty()) throw ConfigError("eval.topk = []: must hold at least one K >= 1");
  if (topk.front() < 1 || std::ranges::adjacent_find(topk, std::greater_equal{}) != topk.end())
    throw ConfigError("eval.topk must hold every K once, ascending, from 1 on");
  if (metrics.empty()) throw ConfigError("eval.metrics = []: must name at least one metric");
  if (!(tail_ratio > 0)) throw ConfigError("eval.tail_ratio = 0: must be above 0");
  parse_candidates(candidates);
}

}  // namespace recloom
