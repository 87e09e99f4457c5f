#include "recloom/eval/metric.hpp"

namespace recloom {

Metric::~Metric() = default;
bool Metric::needs_items() const noexcept { return false; }
bool Metric::higher_is_better() const noexcept { return true; }
bool Metric::at_k() const noexcept { return true; }
void Metric::prepare(const MetricContext&) {}
double Metric::weight(const RankedRow&) const { return 1; }

bool ListMetric::needs_items() const noexcept { return true; }
void ListMetric::row(const RankedRow&, std::span<double>) const {}

}  // namespace recloom
