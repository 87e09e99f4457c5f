#pragma once
namespace recloom::benchmarks {

/// Largest resident memory of this process since its start or the last reset, in bytes.
double peak_memory();
/// Begin anew from what is resident now. Does nothing where the system has no such switch.
void reset_peak_memory();

}  // namespace recloom::benchmarks
