// Sums of terms: the axes are parted into the innermost one, those along which the target moves,
// and those along which it stays, so that each element of the target is finished at once.
#include "runtime/train/broadcast_sum.h"

#include <algorithm>
#include <cstring>

namespace figment::train {
namespace {

// So many rows or blocks are added up in float32 before they join the total, which is in double
// precision: long sums lose little.
constexpr std::int64_t kPart = 256;

constexpr std::int64_t kNowhere[kTermTensors] = {};

// Neighbours of one source for the kernel: those that stand side by side are taken where they are,
// one that repeats fills a block of its own.
class Source {
 public:
  // `length`: of the rows.
  Source(const void* data, std::int64_t stride, std::int64_t length)
      : data_(static_cast<const std::byte*>(data)),
        repetitions_(stride != 0 ? 0 : std::min(length, kTermBlock)) {}

  void move_to(std::int64_t offset) {
    row_ = data_ + offset * kBytes;
    if (repetitions_ == 0) return;
    std::uint32_t value;
    std::memcpy(&value, row_, kBytes);
    for (std::int64_t i = 0; i < repetitions_; ++i)
      std::memcpy(block_ + i * kBytes, &value, kBytes);
  }
  // The neighbour `done` of where it was moved to, and those behind it.
  const void* at(std::int64_t done) const {
    return repetitions_ == 0 ? row_ + done * kBytes : block_;
  }

 private:
  static constexpr std::int64_t kBytes = 4;

  const std::byte* data_;
  std::int64_t repetitions_;
  const std::byte* row_ = nullptr;
  alignas(16) std::byte block_[kTermBlock * kBytes];
};

// Sums of kTermBlock numbers side by side.
class Totals {
 public:
  void add(const float* terms, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) part_[i] += terms[i];
    if (++added_ % kPart == 0) flush();
  }
  const double* finish() {
    flush();
    return total_;
  }
  // All of them together.
  double finish_as_one() {
    flush();
    for (std::int64_t half = kTermBlock / 2; half > 0; half /= 2)
      for (std::int64_t i = 0; i < half; ++i) total_[i] += total_[half + i];
    return total_[0];
  }

 private:
  void flush() {
    for (std::int64_t i = 0; i < kTermBlock; ++i) total_[i] += static_cast<double>(part_[i]);
    std::memset(part_, 0, sizeof part_);
  }

  std::int64_t added_ = 0;
  float part_[kTermBlock] = {};
  double total_[kTermBlock] = {};
};

// What one thread computes with.
class Summation {
 public:
  // `repeated`: the axes, beside the innermost, along which the target stays.
  Summation(const TermAxes& axes, const TermAxes& repeated, TermKernel kernel,
            const TermSources& sources, float* target)
      : repeated_(repeated),
        kernel_(kernel),
        target_(target),
        output_gradient_(sources.output_gradient, axes.row_stride(kOutputGradient),
                         axes.row_length()),
        first_(sources.first, axes.row_stride(kFirst), axes.row_length()),
        second_(sources.second, axes.row_stride(kSecond), axes.row_length()) {}

  // Neighbours `from` to before `to` of the row that begins at `offsets`, each for itself.
  void sum_each(const std::int64_t* offsets, std::int64_t from, std::int64_t to) {
    const bool alone = repeated_.rows() * repeated_.row_length() == 1;
    if (alone) move_to(offsets, kNowhere, 0);
    for (; from < to; from += kTermBlock) {
      const std::int64_t count = std::min(kTermBlock, to - from);
      float* target = target_ + offsets[kTarget] + from;
      if (alone) {
        std::memmove(target, compute(from, count), static_cast<std::size_t>(count) * sizeof(float));
        continue;
      }
      Totals totals;
      each_repetition(offsets, [&] { totals.add(compute(from, count), count); });
      const double* total = totals.finish();
      for (std::int64_t i = 0; i < count; ++i) target[i] = static_cast<float>(total[i]);
    }
  }

  // All `length` neighbours of such rows, together.
  void sum_row(const std::int64_t* offsets, std::int64_t length) {
    Totals totals;
    each_repetition(offsets, [&] {
      for (std::int64_t done = 0; done < length; done += kTermBlock) {
        const std::int64_t count = std::min(kTermBlock, length - done);
        totals.add(compute(done, count), count);
      }
    });
    target_[offsets[kTarget]] = static_cast<float>(totals.finish_as_one());
  }

 private:
  void move_to(const std::int64_t* offsets, const std::int64_t* more, std::int64_t steps) {
    const auto place = [&](int tensor) {
      return offsets[tensor] + more[tensor] + steps * repeated_.row_stride(tensor);
    };
    output_gradient_.move_to(place(kOutputGradient));
    if (kernel_ == nullptr) return;
    first_.move_to(place(kFirst));
    second_.move_to(place(kSecond));
  }

  template <typename Body>
  void each_repetition(const std::int64_t* offsets, const Body& body) {
    repeated_.for_each_row([&](const std::int64_t* more) {
      for (std::int64_t i = 0; i < repeated_.row_length(); ++i) {
        move_to(offsets, more, i);
        body();
      }
    });
  }

  const float* compute(std::int64_t done, std::int64_t count) {
    const float* gradient = static_cast<const float*>(output_gradient_.at(done));
    if (kernel_ == nullptr) return gradient;
    kernel_({gradient, first_.at(done), second_.at(done)}, terms_, count);
    return terms_;
  }

  const TermAxes& repeated_;
  TermKernel kernel_;
  float* target_;
  Source output_gradient_, first_, second_;
  alignas(16) float terms_[kTermBlock];
};

}  // namespace

void sum_terms(const TermAxes& axes, TermKernel kernel, const TermSources& sources, float* target,
               pthreadpool* threads) {
  TermAxes kept;
  TermAxes repeated;
  for (int axis = 1; axis < axes.rank(); ++axis) {
    std::int64_t strides[kTermTensors];
    for (int tensor = 0; tensor < kTermTensors; ++tensor)
      strides[tensor] = axes.stride(axis, tensor);
    (strides[kTarget] != 0 ? kept : repeated).add(axes.extent(axis), strides);
  }
  const std::int64_t length = axes.row_length();
  // A row of one element, for scalars, has no strides.
  const bool moves = axes.row_stride(kTarget) != 0 || length == 1;
  if (axes.rows() * length < kWorthSharing) threads = nullptr;
  if (moves && kept.rows() * kept.row_length() == 1) {
    const std::int64_t blocks = (length + kTermBlock - 1) / kTermBlock;
    share(threads, blocks, [&](std::size_t, std::int64_t first, std::int64_t last) {
      Summation(axes, repeated, kernel, sources, target)
          .sum_each(kNowhere, first * kTermBlock, std::min(length, last * kTermBlock));
    });
    return;
  }
  share_parts(kept, threads, [&](std::size_t, const std::int64_t* offsets, std::int64_t count) {
    Summation summation(axes, repeated, kernel, sources, target);
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t row[kTermTensors];
      for (int tensor = 0; tensor < kTermTensors; ++tensor)
        row[tensor] = offsets[tensor] + i * kept.row_stride(tensor);
      if (moves)
        summation.sum_each(row, 0, length);
      else
        summation.sum_row(row, length);
    }
  });
}

}  // namespace figment::train
