// GroupNormalization: y = n scale + bias with n = (x - mean) f, f = 1 / sqrt(variance + epsilon),
// x [N, pixels, C], statistics per picture and group of channels. With dy, and g = dy scale:
//   dscale [C] = the sum of dy n over pictures and pixels
//   dbias [C]  = the sum of dy
//   dx         = (g - mean(g) - n mean(g n)) f, means over a picture's pixels and a group's
//   channels
// Threads take whole pictures.
#include <algorithm>

#include "runtime/train/backward.h"
#include "runtime/train/normalization.h"
#include "runtime/train/rows.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

enum Operand { kX, kScale, kBias };

struct Sizes {
  std::int64_t pictures, pixels, channels, groups, group_channels;

  explicit Sizes(const Call& call) {
    const Shape& x = call.in(kX).shape;
    pictures = x[0];
    channels = x[x.rank - 1];
    pixels = x.elements() / (pictures * channels);
    groups = call.as<format::GroupNormalization>().groups();
    group_channels = channels / groups;
  }
  std::int64_t picture() const { return pixels * channels; }
  // Of a group in one picture.
  double count() const { return static_cast<double>(pixels * group_channels); }
};

// call.saved: [N, groups].
Normal* normals_of(const Call& call) { return reinterpret_cast<Normal*>(call.saved); }

std::size_t saved_bytes(const Call& call) {
  const Sizes sizes(call);
  return static_cast<std::size_t>(sizes.pictures * sizes.groups) * sizeof(Normal);
}

Reads reads(const Call&, Inputs wanted) {
  Reads result;
  if (wanted & input_bit(kX)) result.inputs |= input_bit(kX) | input_bit(kScale);
  if (wanted & input_bit(kScale)) result.inputs |= input_bit(kX);
  return result;
}

// The scale of a channel.
float scale_of(const Call& call, std::int64_t channel) {
  return call.has(kScale) ? call.in(kScale).floats()[channel] : 1.0F;
}

// body(thread, picture)
template <typename Function>
void share_pictures(const Call& call, const Sizes& sizes, const Function& body) {
  share(sizes.pictures * sizes.picture() < kWorthSharing ? nullptr : call.operation.threads,
        sizes.pictures, [&](std::size_t thread, std::int64_t first, std::int64_t last) {
          for (std::int64_t picture = first; picture < last; ++picture) body(thread, picture);
        });
}

// ---- Forward ----

// Each thread's moments of every channel; then each thread's numbers for scale_rows.
std::size_t forward_scratch_bytes(const Call& call) {
  return thread_count(call.operation.threads) * static_cast<std::size_t>(Sizes(call).channels) *
         (sizeof(Moments) + 3 * sizeof(float));
}

// `moments`: C; `numbers`: 3 C floats.
void normalize_picture(const Call& call, const Sizes& sizes, std::int64_t picture, Moments* moments,
                       float* numbers) {
  const double epsilon = static_cast<double>(call.as<format::GroupNormalization>().epsilon());
  float* centres = numbers;
  float* factors = centres + sizes.channels;
  float* offsets = factors + sizes.channels;
  const float* x = call.in(kX).floats() + picture * sizes.picture();
  column_moments(x, sizes.pixels, sizes.channels, 0, sizes.channels, moments);
  for (std::int64_t group = 0; group < sizes.groups; ++group) {
    const std::int64_t first = group * sizes.group_channels;
    Moments all;
    for (std::int64_t i = 0; i < sizes.group_channels; ++i) all.merge(moments[first + i]);
    const Normal normal = normal_of(all.mean, all.squares / all.count, epsilon);
    normals_of(call)[picture * sizes.groups + group] = normal;
    for (std::int64_t c = first; c < first + sizes.group_channels; ++c) {
      const float bias = call.has(kBias) ? call.in(kBias).floats()[c] : 0.0F;
      centres[c] = normal.centre;
      factors[c] = normal.factor * scale_of(call, c);
      offsets[c] = normal.shift * scale_of(call, c) + bias;
    }
  }
  scale_rows(x, centres, factors, offsets, sizes.pixels, sizes.channels,
             call.out().floats() + picture * sizes.picture());
}

void forward(const Call& call) {
  const Sizes sizes(call);
  const auto threads = static_cast<std::int64_t>(thread_count(call.operation.threads));
  Moments* moments = reinterpret_cast<Moments*>(call.operation.scratch);
  float* numbers = reinterpret_cast<float*>(moments + threads * sizes.channels);
  share_pictures(call, sizes, [&](std::size_t thread, std::int64_t picture) {
    const std::int64_t first = static_cast<std::int64_t>(thread) * sizes.channels;
    normalize_picture(call, sizes, picture, moments + first, numbers + 3 * first);
  });
}

// ---- Backward ----

// All pictures' sums for each channel; then each thread's centres and what gradient_rows wants.
std::size_t scratch_bytes(const Call& call) {
  const Sizes sizes(call);
  return static_cast<std::size_t>(sizes.pictures * sizes.channels) * sizeof(ColumnSums) +
         thread_count(call.operation.threads) * static_cast<std::size_t>(sizes.channels) * 4 *
             sizeof(float);
}

// `numbers`: 4 C floats.
void picture_gradient(const Call& call, const Sizes& sizes, std::int64_t picture,
                      ColumnSums* all_sums, float* numbers) {
  float* centres = numbers;
  float* factors = centres + sizes.channels;
  float* slopes = factors + sizes.channels;
  float* offsets = slopes + sizes.channels;
  const Normal* normals = normals_of(call) + picture * sizes.groups;
  for (std::int64_t group = 0; group < sizes.groups; ++group)
    std::fill_n(centres + group * sizes.group_channels, sizes.group_channels,
                normals[group].centre);
  const float* x = call.in(kX).floats() + picture * sizes.picture();
  const float* dy = call.output_gradient + picture * sizes.picture();
  ColumnSums* sums = all_sums + picture * sizes.channels;
  column_sums(dy, x, centres, sizes.pixels, sizes.channels, 0, sizes.channels, sums);
  float* dx = call.gradient(kX);
  if (dx == nullptr) return;

  for (std::int64_t group = 0; group < sizes.groups; ++group) {
    const std::int64_t first = group * sizes.group_channels;
    const Normal& normal = normals[group];
    ColumnSums scaled;  // of g
    for (std::int64_t c = first; c < first + sizes.group_channels; ++c) {
      scaled.gradients += static_cast<double>(scale_of(call, c)) * sums[c].gradients;
      scaled.products += static_cast<double>(scale_of(call, c)) * sums[c].products;
    }
    const double by_normal = scaled.normalized(normal);
    const double part = static_cast<double>(normal.factor) / sizes.count();
    for (std::int64_t c = first; c < first + sizes.group_channels; ++c) {
      factors[c] = normal.factor * scale_of(call, c);
      slopes[c] = static_cast<float>(-part * by_normal * static_cast<double>(normal.factor));
      offsets[c] = static_cast<float>(
          -part * (scaled.gradients + by_normal * static_cast<double>(normal.shift)));
    }
  }
  gradient_rows(dy, x, centres, factors, slopes, offsets, sizes.pixels, sizes.channels,
                dx + picture * sizes.picture());
}

// dscale and dbias from the sums of all pictures, in their order.
void parameter_gradients(const Call& call, const Sizes& sizes, const ColumnSums* sums) {
  float* dscale = call.gradient(kScale);
  float* dbias = call.gradient(kBias);
  for (std::int64_t c = 0; c < sizes.channels; ++c) {
    double by_scale = 0;
    double by_bias = 0;
    for (std::int64_t picture = 0; picture < sizes.pictures; ++picture) {
      const ColumnSums& part = sums[picture * sizes.channels + c];
      by_bias += part.gradients;
      by_scale +=
          part.normalized(normals_of(call)[picture * sizes.groups + c / sizes.group_channels]);
    }
    if (dscale != nullptr) dscale[c] = static_cast<float>(by_scale);
    if (dbias != nullptr) dbias[c] = static_cast<float>(by_bias);
  }
}

void backward(const Call& call) {
  const Sizes sizes(call);
  if (call.gradient(kX) == nullptr && call.gradient(kScale) == nullptr) {
    if (float* dbias = call.gradient(kBias))
      sum_rows(call.output_gradient, sizes.pictures * sizes.pixels, sizes.channels, dbias,
               call.operation.threads);
    return;
  }
  ColumnSums* sums = reinterpret_cast<ColumnSums*>(call.operation.scratch);
  float* numbers = reinterpret_cast<float*>(sums + sizes.pictures * sizes.channels);
  share_pictures(call, sizes, [&](std::size_t thread, std::int64_t picture) {
    picture_gradient(call, sizes, picture, sums,
                     numbers + static_cast<std::int64_t>(thread) * 4 * sizes.channels);
  });
  parameter_gradients(call, sizes, sums);
}

}  // namespace

extern const BackwardRoom kGroupNormalization;
const BackwardRoom kGroupNormalization{
    .differentiable = input_bit(kX) | input_bit(kScale) | input_bit(kBias),
    .in_place = true,
    .reads = reads,
    .forward = forward,
    .forward_scratch_bytes = forward_scratch_bytes,
    .saved_bytes = saved_bytes,
    .scratch_bytes = scratch_bytes,
    .backward = backward,
};

}  // namespace figment::train
