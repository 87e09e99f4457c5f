#pragma once
// Scores of a model, and how they differ.
#include <string>
#include <vector>

#include "recloom/model/sequential_recommender.hpp"
#include "testing/toy_data.hpp"

namespace recloom::conformance {

/// Relative to the largest score of a row: what products of another shape may differ by.
inline constexpr double kRounding = 1e-4;

/// Scores of every row and item, [rows, n_items], as the host asks for them and with its -inf in
/// column 0.
std::vector<float> scores_of(const SequentialRecommender& model, const Batch& rows);

/// Describe the first score of a real item that is not finite; "" if all are.
std::string first_not_finite(const SequentialRecommender& model, const Rows& rows);

/// Describe the first number that differs; "" if none does.
/// @param a, b [rows, n] each. @param tolerance relative to a row's largest score; 0: the bits.
std::string first_difference(const Batch& rows, const std::vector<float>& a,
                             const std::vector<float>& b, double tolerance);

/// "row 3 (user 2, history of 5 items)"
std::string row_text(const Batch& rows, std::size_t row);

}  // namespace recloom::conformance
