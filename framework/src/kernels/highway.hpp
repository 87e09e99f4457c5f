// Included first by every file with SIMD kernels: says which levels they are compiled for, before
// Highway is seen. No include guard of its own is wanted: Highway's is enough.
#pragma once

// One level per value of Isa: scalar, SSE4, AVX2, AVX-512. What lies between is not worth its code.
#if defined(__x86_64__)
#define HWY_DISABLED_TARGETS (~(HWY_SCALAR | HWY_EMU128 | HWY_SSE4 | HWY_AVX2 | HWY_AVX3))
#define HWY_COMPILE_ALL_ATTAINABLE
#endif
