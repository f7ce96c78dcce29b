// MatMul y = a b of matrices a [..., M, K] and b [..., K, N]; leading axes broadcast. With dy
// [..., M, N], for each matrix of y:
//   da [M, K] = dy b^T
//   db [K, N] = a^T dy
// and the sum of them where one matrix of a or b belongs to several of y.
#include "runtime/math/broadcast.h"
#include "runtime/train/backward.h"
#include "runtime/train/broadcast_sum.h"
#include "runtime/train/rows.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

enum Operand { kA, kB, kY, kOperands };

// The axes before a matrix's own two.
Shape leading(Shape shape) {
  shape.rank -= 2;
  return shape;
}

struct Sizes {
  std::int64_t m, k, n;
  // How the matrices of a, b and y go together; strides in matrices.
  math::Axes<kOperands> matrices;

  explicit Sizes(const Call& call)
      : m(call.in(kA).shape[call.in(kA).shape.rank - 2]),
        k(call.in(kA).shape[call.in(kA).shape.rank - 1]),
        n(call.out().shape[call.out().shape.rank - 1]) {
    const Shape y = leading(call.out().shape);
    if (call.in(kB).elements() == k * n)
      m *= y.elements();  // one b for all: the leading axes of a are more rows
    else
      matrices = math::broadcast_axes<kOperands>(
          {leading(call.in(kA).shape), leading(call.in(kB).shape), y}, y);
  }
  std::int64_t count() const { return matrices.rows() * matrices.row_length(); }
};

Reads reads(const Call&, Inputs wanted) {
  Reads result;
  if (wanted & input_bit(kA)) result.inputs |= input_bit(kB);
  if (wanted & input_bit(kB)) result.inputs |= input_bit(kA);
  return result;
}

// A share for each thread, which may multiply matrices of its own.
std::size_t scratch_bytes(const Call& call) {
  return multiply_scratch_bytes(call.operation.threads);
}

// What is multiplied for one matrix of y.
struct Matrices {
  const float *a, *b, *dy;
};

// Writes target, of which `size` numbers belong to each matrix of `which`: product_of(matrices) for
// every matrix of y, or the sums of those that fall on one.
template <typename Product>
void multiply_all(const Call& call, const Sizes& sizes, Operand which, const Tensor& target,
                  std::int64_t size, const Product& product_of) {
  pthreadpool* threads = call.operation.threads;
  const bool repeats = target.elements() != sizes.count() * size;
  if (repeats) fill_zeros(target.floats(), target.elements(), threads);
  // Threads take matrices of their own, where that keeps all busy.
  const bool apart = !repeats && sizes.count() >= static_cast<std::int64_t>(thread_count(threads));
  const std::size_t own_scratch = multiply_scratch_bytes(nullptr);
  const auto part = [&](std::size_t thread, const std::int64_t* offsets, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const auto number = [&](Operand tensor) {
        return offsets[tensor] + i * sizes.matrices.row_stride(tensor);
      };
      // What is not read has no data.
      const auto at = [](const float* data, std::int64_t offset) {
        return data == nullptr ? nullptr : data + offset;
      };
      Multiplication product =
          product_of(Matrices{at(call.in(kA).floats(), number(kA) * sizes.m * sizes.k),
                              at(call.in(kB).floats(), number(kB) * sizes.k * sizes.n),
                              at(call.output_gradient, number(kY) * sizes.m * sizes.n)});
      product.c = target.floats() + number(which) * size;
      product.c_stride = product.columns;
      product.add = repeats;
      multiply(product, *call.loops, call.operation.scratch + thread * own_scratch,
               apart ? nullptr : threads);
    }
  };
  share_parts(sizes.matrices, apart ? threads : nullptr, part);
}

void forward(const Call& call) {
  const Sizes sizes(call);
  multiply_all(call, sizes, kY, call.out(), sizes.m * sizes.n, [&](const Matrices& matrices) {
    return Multiplication{.rows = sizes.m,
                          .columns = sizes.n,
                          .depth = sizes.k,
                          .a = matrix(matrices.a, sizes.k),
                          .b = matrix(matrices.b, sizes.n),
                          .c = nullptr,
                          .c_stride = 0};
  });
}

void backward(const Call& call) {
  const Sizes sizes(call);
  if (call.gradient(kA) != nullptr)
    multiply_all(call, sizes, kA, call.input_gradients[kA], sizes.m * sizes.k,
                 [&](const Matrices& matrices) {
                   return Multiplication{.rows = sizes.m,
                                         .columns = sizes.k,
                                         .depth = sizes.n,
                                         .a = matrix(matrices.dy, sizes.n),
                                         .b = matrix(matrices.b, sizes.n).transposed(),
                                         .c = nullptr,
                                         .c_stride = 0};
                 });
  if (call.gradient(kB) != nullptr)
    multiply_all(call, sizes, kB, call.input_gradients[kB], sizes.k * sizes.n,
                 [&](const Matrices& matrices) {
                   return Multiplication{.rows = sizes.k,
                                         .columns = sizes.n,
                                         .depth = sizes.m,
                                         .a = matrix(matrices.a, sizes.k).transposed(),
                                         .b = matrix(matrices.dy, sizes.n),
                                         .c = nullptr,
                                         .c_stride = 0};
                 });
}

}  // namespace

extern const BackwardRoom kMatMul;
const BackwardRoom kMatMul{.differentiable = input_bit(kA) | input_bit(kB),
                           .reads = reads,
                           .forward = forward,
                           .forward_scratch_bytes = scratch_bytes,
                           .scratch_bytes = scratch_bytes,
                           .backward = backward};

}  // namespace figment::train
