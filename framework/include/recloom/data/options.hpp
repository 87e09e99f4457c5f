#pragma once
#include <string>
#include <vector>

#include "recloom/config/param_schema.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

enum class FileFormat : int { automatic, atomic, csv, sequences, json };
/// Of numbers in the time column; dates need none.
enum class TimeUnit : int { seconds, milliseconds, microseconds, nanoseconds };
enum class TimePrecision : int { exact, float32 };
enum class MissingTime : int { error, mean, drop };
enum class Duplicates : int { keep, first, last };

/// Keys `data.*`: how a log is read, filtered and ordered; `recloom settings` says what each value
/// means. Source: where nothing else is said, RecBole's rules (recbole/data/dataset/dataset.py).
struct RECLOOM_API DataOptions {
  int max_length = 50;
  FileFormat format = FileFormat::automatic;
  std::string separator;  ///< Any text; "" = tab (atomic), what the first lines show (csv).
  std::vector<std::string> columns;  ///< Names by position, of a file without header line.
  std::string encoding = "utf-8";    ///< Any that iconv() knows.
  std::string user_column = "user_id", item_column = "item_id", time_column = "timestamp";
  std::string time_format;  ///< As strptime's; "" = numbers and ISO 8601.
  TimeUnit time_unit = TimeUnit::seconds;
  std::string name_column;           ///< Column of the item file that holds names.
  std::string user_file, item_file;  ///< Side tables; "" = those beside an atomic file.
  int max_events = 250'000'000;      ///< Most rows of a log; 0: any number.
  double max_text_gib = 0;           ///< Most text of a log, unpacked; 0: what is usual.
  bool raw_cells = false;
  TimePrecision time_precision = TimePrecision::exact;
  bool normalize_time = false;
  MissingTime missing_time = MissingTime::error;
  Duplicates duplicates = Duplicates::keep;
  std::vector<std::string> value_intervals;  ///< "rating [3,inf)", "action in view,buy"
  bool filter_by_side_tables = true;
  std::string user_interval = "[0,inf)", item_interval = "[0,inf)";
  double session_gap = 0;  ///< Seconds without an event that end a session; 0: users stay whole.

  void describe(ParamSchema& schema);
  /// Check what no describe() has filled, and how values go together. @throws ConfigError naming
  /// the key.
  void validate() const;
};

enum class SplitMode : int { leave_one_out, ratio, temporal, none, given, users, test };
enum class HeldOut : int { valid_and_test, valid_only, test_only };
enum class RatioGroup : int { user, all };
/// What the ratios of `ratio` are shares of.
enum class RatiosOf : int { rows, events };
/// Which held-out events of a user are asked for: each in a row of its own, the last alone, or all
/// of a part in one row.
enum class SplitTargets : int { all, last, together };

/// Keys `split.*`: which rows train, which validate, which test.
struct RECLOOM_API SplitOptions {
  SplitMode mode = SplitMode::leave_one_out;
  HeldOut held_out = HeldOut::valid_and_test;    ///< leave_one_out
  std::vector<double> ratios = {0.8, 0.1, 0.1};  ///< ratio, temporal, users: train, valid, test
  RatioGroup group = RatioGroup::user;           ///< ratio
  RatiosOf ratios_of = RatiosOf::rows;           ///< ratio, group = user
  std::vector<std::string> times;                ///< temporal: where validation and test begin.
  std::vector<double> last_days;      ///< temporal: how many days validation and test take.
  std::string valid_file, test_file;  ///< given
  SplitTargets targets = SplitTargets::all;
  int users_seed = 1;  ///< users: which of them are held out.

  void describe(ParamSchema& schema);
  /// As DataOptions::validate().
  void validate() const;
};

}  // namespace recloom
