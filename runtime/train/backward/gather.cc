// Gather, rows of data [outer, extent, inner] chosen by indices: ddata is 0, and each row of dy
// added to the row that it came from, in the order of the indices. This is what an embedding
// learns by.
#include "runtime/ops/move.h"
#include "runtime/train/backward.h"
#include "runtime/train/rows.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

enum Operand { kData, kIndices };

Reads reads(const Call&, Inputs) { return {.inputs = input_bit(kIndices)}; }

void backward(const Call& call) {
  float* gradient = call.gradient(kData);
  if (gradient == nullptr) return;
  const int axis = call.as<format::Gather>().axis();
  const Shape& data = call.in(kData).shape;
  const Tensor& indices = call.in(kIndices);
  const std::int64_t extent = data[axis];
  std::int64_t outer = 1;
  std::int64_t inner = 1;
  for (int before = 0; before < axis; ++before) outer *= data[before];
  for (int after = axis + 1; after < data.rank; ++after) inner *= data[after];
  const std::int64_t count = indices.elements();

  fill_zeros(gradient, data.elements(), call.operation.threads);
  // Threads share the columns: several rows of dy may come from one row.
  share(call.out().elements() < kWorthSharing ? nullptr : call.operation.threads, inner,
        [&](std::size_t, std::int64_t first, std::int64_t last) {
          const float* from = call.output_gradient;
          for (std::int64_t part = 0; part < outer; ++part) {
            for (std::int64_t i = 0; i < count; ++i, from += inner) {
              const std::int64_t row = part * extent + ops::row_of(indices.integers()[i], extent);
              float* to = gradient + row * inner;
              for (std::int64_t column = first; column < last; ++column) to[column] += from[column];
            }
          }
        });
}

}  // namespace

extern const BackwardRoom kGather;
const BackwardRoom kGather{
    .differentiable = input_bit(kData), .reads = reads, .backward = backward};

}  // namespace figment::train
