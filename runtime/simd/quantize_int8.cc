// Activations for products with int8 weights: rows of numbers, or what a window sees at every step,
// as integers by the rule of runtime/math/quantize.h.
//
// A pixel is seen by many windows, each with steps of its own. Its extremes are found once; a
// window's are the extremes of its pixels'.
#include "runtime/math/quantize.h"
#include "runtime/simd/dot_products.h"
#include "runtime/simd/kernels.h"

#ifdef FIGMENT_MULTIPLIES_INT8

namespace figment::simd::FIGMENT_ISA {
namespace {

[[gnu::always_inline]] inline std::int32_t larger(std::int32_t a, std::int32_t b) {
  return a > b ? a : b;
}
[[gnu::always_inline]] inline std::uint32_t larger(std::uint32_t a, std::uint32_t b) {
  return a > b ? a : b;
}

struct Extremes {
  std::int32_t highest = math::kHighestOfNone;
  std::uint32_t lowest = math::kLowestOfNone;
};

#ifndef __AVX512BW__
[[gnu::always_inline]] inline void extend(Extremes& found, const float* x, std::int64_t count) {
  for (std::int64_t k = 0; k < count; ++k) {
    const auto bits = __builtin_bit_cast(std::int32_t, x[k]);
    found.highest = larger(found.highest, bits);
    found.lowest = larger(found.lowest, static_cast<std::uint32_t>(bits));
  }
}
#endif

#ifdef __AVX512BW__

// The first `count` of 64 numbers; beyond there is nothing to be read or written.
[[gnu::always_inline]] inline __mmask16 first_of(std::int64_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffffU : (1U << (count < 0 ? 0 : count)) - 1);
}

[[gnu::always_inline]] inline Extremes find_extremes(const float* x, std::int64_t count) {
  __m512i highest = _mm512_set1_epi32(math::kHighestOfNone);
  __m512i lowest = _mm512_set1_epi32(static_cast<std::int32_t>(math::kLowestOfNone));
  std::int64_t k = 0;
  for (; k + kLanes <= count; k += kLanes) {
    const __m512i bits = _mm512_loadu_si512(x + k);
    highest = _mm512_max_epi32(highest, bits);
    lowest = _mm512_max_epu32(lowest, bits);
  }
  if (k < count) {
    const __m512i bits = _mm512_maskz_loadu_epi32(first_of(count - k), x + k);
    highest = _mm512_max_epi32(highest, bits);
    lowest = _mm512_max_epu32(lowest, bits);
  }
  return {_mm512_reduce_max_epi32(highest), _mm512_reduce_max_epu32(lowest)};
}

// Writes `count` numbers as integers less `least`. The instruction rounds to even as nearest()
// does. A number that is one step too far saturates; what it makes of a row that is not to be told
// in steps does not matter, for NaN times any sum is NaN.
class Quantizer {
 public:
  Quantizer(float inverse, std::int32_t least)
      : inverse_(_mm512_set1_ps(inverse)),
        least_(_mm512_set1_epi16(static_cast<short>(least))),
        zero_(static_cast<std::uint8_t>(-least)) {}

  [[gnu::always_inline]] void write(const float* x, std::int64_t count, std::uint8_t* to) const {
    std::int64_t k = 0;
    for (; k + 4 * kLanes <= count; k += 4 * kLanes)
      _mm512_storeu_si512(
          to + k, pack(_mm512_loadu_ps(x + k), _mm512_loadu_ps(x + k + kLanes),
                       _mm512_loadu_ps(x + k + 2 * kLanes), _mm512_loadu_ps(x + k + 3 * kLanes)));
    if (k == count) return;
    const std::int64_t left = count - k;
    const auto some = [&](std::int64_t from) __attribute__((always_inline)) {
      return _mm512_maskz_loadu_ps(first_of(left - from), x + k + from);
    };
    _mm512_mask_storeu_epi8(to + k, (std::uint64_t{1} << left) - 1,
                            pack(some(0), some(kLanes), some(2 * kLanes), some(3 * kLanes)));
  }
  void write_zeros(std::int64_t count, std::uint8_t* to) const {
    __builtin_memset(to, zero_, static_cast<std::size_t>(count));
  }

 private:
  [[gnu::always_inline]] __m512i pack(__m512 a, __m512 b, __m512 c, __m512 d) const {
    const auto integers = [&](__m512 x) __attribute__((always_inline)) {
      return _mm512_cvtps_epi32(_mm512_mul_ps(x, inverse_));
    };
    const __m512i first = _mm512_packs_epi32(integers(a), integers(b));
    const __m512i second = _mm512_packs_epi32(integers(c), integers(d));
    const __m512i bytes =
        _mm512_packus_epi16(_mm512_subs_epi16(first, least_), _mm512_subs_epi16(second, least_));
    // Every quarter of the vectors has its four of a, of b, of c and of d.
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, bytes);
  }

  __m512 inverse_;
  __m512i least_;
  int zero_;
};

#elif defined(__AVX2__)

[[gnu::always_inline]] inline Extremes find_extremes(const float* x, std::int64_t count) {
  __m256i highest = _mm256_set1_epi32(math::kHighestOfNone);
  __m256i lowest = _mm256_set1_epi32(static_cast<std::int32_t>(math::kLowestOfNone));
  std::int64_t k = 0;
  for (; k + kLanes <= count; k += kLanes) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + k));
    highest = _mm256_max_epi32(highest, bits);
    lowest = _mm256_max_epu32(lowest, bits);
  }
  __m128i high =
      _mm_max_epi32(_mm256_castsi256_si128(highest), _mm256_extracti128_si256(highest, 1));
  __m128i low = _mm_max_epu32(_mm256_castsi256_si128(lowest), _mm256_extracti128_si256(lowest, 1));
  high = _mm_max_epi32(high, _mm_shuffle_epi32(high, 0x4e));
  low = _mm_max_epu32(low, _mm_shuffle_epi32(low, 0x4e));
  high = _mm_max_epi32(high, _mm_shuffle_epi32(high, 0xb1));
  low = _mm_max_epu32(low, _mm_shuffle_epi32(low, 0xb1));
  Extremes found{_mm_cvtsi128_si32(high), static_cast<std::uint32_t>(_mm_cvtsi128_si32(low))};
  extend(found, x + k, count - k);
  return found;
}

// As above.
class Quantizer {
 public:
  Quantizer(float inverse, std::int32_t least)
      : inverse_(_mm256_set1_ps(inverse)),
        least_(_mm256_set1_epi16(static_cast<short>(least))),
        steps_{0, inverse, least} {}

  [[gnu::always_inline]] void write(const float* x, std::int64_t count, std::uint8_t* to) const {
    // Every half of the vectors has its four of each.
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    std::int64_t k = 0;
    for (; k + 4 * kLanes <= count; k += 4 * kLanes) {
      const __m256i bytes = _mm256_packus_epi16(pack(x + k, x + k + kLanes),
                                                pack(x + k + 2 * kLanes, x + k + 3 * kLanes));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + k),
                          _mm256_permutevar8x32_epi32(bytes, order));
    }
    for (; k + kLanes <= count; k += kLanes) {
      const __m256i pairs = pack(x + k, x + k);
      const __m128i bytes = _mm256_castsi256_si128(
          _mm256_permutevar8x32_epi32(_mm256_packus_epi16(pairs, pairs), order));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to + k), bytes);
    }
    if (k < count) math::quantize_row(x + k, count - k, steps_, steps_.least, to + k);
  }
  void write_zeros(std::int64_t count, std::uint8_t* to) const {
    __builtin_memset(to, -steps_.least, static_cast<std::size_t>(count));
  }

 private:
  [[gnu::always_inline]] __m256i pack(const float* a, const float* b) const {
    const auto integers = [&](const float* from) __attribute__((always_inline)) {
      return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(from), inverse_));
    };
    return _mm256_subs_epi16(_mm256_packs_epi32(integers(a), integers(b)), least_);
  }

  __m256 inverse_;
  __m256i least_;
  math::Steps steps_;
};

#else

[[gnu::always_inline]] inline Extremes find_extremes(const float* x, std::int64_t count) {
  Extremes found;
  extend(found, x, count);
  return found;
}

class Quantizer {
 public:
  Quantizer(float inverse, std::int32_t least) : steps_{0, inverse, least} {}
  void write(const float* x, std::int64_t count, std::uint8_t* to) const {
    math::quantize_row(x, count, steps_, steps_.least, to);
  }
  void write_zeros(std::int64_t count, std::uint8_t* to) const {
    __builtin_memset(to, -steps_.least, static_cast<std::size_t>(count));
  }

 private:
  math::Steps steps_;
};

#endif

#ifdef FIGMENT_MULTIPLIES_CENTERED
// The largest magnitude is 127 steps; as steps_between() says otherwise.
[[gnu::always_inline]] inline math::Steps steps_around_zero(const Extremes& found) {
  const auto lowest = static_cast<std::int32_t>(found.lowest & 0x7fffffffU);
  const auto largest = __builtin_bit_cast(float, larger(found.highest, lowest));
  if (!(largest <= __FLT_MAX__)) return {__builtin_nanf(""), 0, -kCenter};
  const float whole = largest > math::kLeastSpan ? largest : math::kLeastSpan;
  return {whole / 127, 127 / whole, -kCenter};
}
#endif

// Windows whose steps are found at a time.
constexpr int kSegment = 64;

// Windows in one row of windows, all of whose extremes are found side by side.
struct Segment {
  int y, x;  // of the first window
  int count;
  float inverse[kSegment];
};

void find_steps(const QuantizedWindows& task, Segment& segment, float* steps, std::int32_t* least) {
  const Windows& windows = task.windows;
  std::int32_t highest[kSegment] = {};
  std::uint32_t lowest[kSegment];
  for (std::uint32_t& bits : lowest) bits = math::kLowestOfNone;
  const std::int64_t line = windows.line_columns();
  const int top = segment.y * windows.stride_height - windows.pad_top;
  for (int ky = 0; ky < windows.kernel_height; ++ky) {
    const int y = top + ky * windows.dilation_height;
    if (y < 0 || y >= windows.height) continue;
    const std::int64_t from = y * line + std::int64_t{segment.x} * windows.stride_width;
    for (int kx = 0; kx < windows.kernel_width; ++kx) {
      const std::int32_t* high = windows.highest + from + kx * windows.dilation_width;
      const std::uint32_t* low = windows.lowest + from + kx * windows.dilation_width;
      if (windows.stride_width == 1)
        for (int i = 0; i < segment.count; ++i) {
          highest[i] = larger(highest[i], high[i]);
          lowest[i] = larger(lowest[i], low[i]);
        }
      else
        for (int i = 0; i < segment.count; ++i) {
          highest[i] = larger(highest[i], high[i * windows.stride_width]);
          lowest[i] = larger(lowest[i], low[i * windows.stride_width]);
        }
    }
  }
  for (int i = 0; i < segment.count; ++i) {
    const math::Steps found = math::steps_between(lowest[i], highest[i]);
    steps[i] = found.step;
    segment.inverse[i] = found.inverse;
    least[i] = found.least;
  }
}

// One row of what a window sees from picture column `left` on, as integers.
[[gnu::always_inline]] inline void write_window_row(const Windows& windows,
                                                    const Quantizer& quantizer, const float* pixels,
                                                    int left, std::uint8_t* to) {
  const std::int64_t channels = windows.channels;
  const int right = left + windows.kernel_width;
  if (windows.dilation_width == 1 && left >= 0 && right <= windows.width)
    return quantizer.write(pixels + left * channels, windows.kernel_width * channels, to);
  for (int kx = 0; kx < windows.kernel_width; ++kx, to += channels) {
    const int x = left + kx * windows.dilation_width;
    if (x < 0 || x >= windows.width)
      quantizer.write_zeros(channels, to);
    else
      quantizer.write(pixels + x * channels, channels, to);
  }
}

}  // namespace

void quantize(const QuantizedRows& rows) {
  for (int row = 0; row < rows.rows; ++row) {
    const float* x = rows.x + row * rows.x_stride;
    std::uint8_t* to = rows.integers + row * rows.stride;
    const Extremes found = find_extremes(x, rows.depth);
    const math::Steps steps = math::steps_between(found.lowest, found.highest);
    Quantizer(steps.inverse, steps.least).write(x, rows.depth, to);
    for (std::int64_t k = rows.depth; k < rows.stride; ++k) to[k] = 0;
    rows.steps[row] = steps.step;
    rows.least[row] = steps.least;
  }
}

#ifdef FIGMENT_MULTIPLIES_CENTERED
void quantize_centered(const CenteredRows& rows) {
  for (int row = 0; row < rows.rows; ++row) {
    const float* x = rows.x + row * rows.x_stride;
    std::uint8_t* to = rows.integers + row * rows.stride;
    const math::Steps steps = steps_around_zero(find_extremes(x, rows.depth));
    Quantizer(steps.inverse, steps.least).write(x, rows.depth, to);
    for (std::int64_t k = rows.depth; k % (4 * kQuads) != 0; ++k) to[k] = 0;
    rows.steps[row * rows.row_steps] = steps.step;
  }
}
#endif

void find_extremes(const Windows& windows, int first_row, int end_row) {
  const int columns = windows.line_columns();
  for (int y = first_row; y < end_row; ++y) {
    std::int32_t* highest = windows.highest + std::int64_t{y} * columns;
    std::uint32_t* lowest = windows.lowest + std::int64_t{y} * columns;
    const float* row = windows.picture + std::int64_t{y} * windows.width * windows.channels;
    for (int column = 0; column < columns; ++column) {
      const int x = column - windows.pad_left;
      Extremes found;
      if (x >= 0 && x < windows.width)
        found = find_extremes(row + std::int64_t{x} * windows.channels, windows.channels);
      highest[column] = found.highest;
      lowest[column] = found.lowest;
    }
  }
}

void quantize_windows(const QuantizedWindows& task) {
  const Windows& windows = task.windows;
  const std::int64_t row = std::int64_t{windows.kernel_width} * windows.channels;
  const std::int64_t depth = windows.kernel_height * row;
  for (int done = 0; done < task.count;) {
    Segment segment;
    segment.y = static_cast<int>((task.first + done) / windows.across);
    segment.x = static_cast<int>((task.first + done) % windows.across);
    segment.count = windows.across - segment.x;
    if (segment.count > task.count - done) segment.count = task.count - done;
    if (segment.count > kSegment) segment.count = kSegment;
    find_steps(task, segment, task.steps + done, task.least + done);
    const int top = segment.y * windows.stride_height - windows.pad_top;
    const int left = segment.x * windows.stride_width - windows.pad_left;
    std::uint8_t* to = task.integers + done * task.stride;
    for (int ky = 0; ky < windows.kernel_height; ++ky, to += row) {
      const int y = top + ky * windows.dilation_height;
      const bool inside = y >= 0 && y < windows.height;
      const float* pixels = windows.picture + std::int64_t{y} * windows.width * windows.channels;
      for (int i = 0; i < segment.count; ++i) {
        const Quantizer quantizer(segment.inverse[i], task.least[done + i]);
        if (inside)
          write_window_row(windows, quantizer, pixels, left + i * windows.stride_width,
                           to + i * task.stride);
        else
          quantizer.write_zeros(row, to + i * task.stride);
      }
    }
    if (depth < task.stride)
      for (int i = 0; i < segment.count; ++i)
        __builtin_memset(to + i * task.stride, 0, static_cast<std::size_t>(task.stride - depth));
    done += segment.count;
  }
}

}  // namespace figment::simd::FIGMENT_ISA

#endif
