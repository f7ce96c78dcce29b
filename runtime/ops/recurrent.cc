// Recurrent layers: RNN, GRU and LSTM; operands, gates and formulas as the schema says.
#include "runtime/math/gemm.h"
#include "runtime/ops/checks.h"
#include "runtime/ops/recurrent_cells.h"
#include "runtime/ops/unary.h"

namespace figment::ops {
namespace {

using format::RecurrentCell;

// Gates of a cell, in the order of RecurrentCell.
constexpr int kGates[] = {1, 3, 4};
constexpr int kPeepholes = 3;

struct Scratch {
  std::int64_t walk;   // floats
  std::int64_t gates;  // floats
  std::int64_t gemm;   // bytes
};

Scratch scratch_of(const Operation& operation) {
  const RecurrentSizes size = recurrent_sizes(operation);
  const std::int64_t input =
      math::gemm_scratch_bytes(operation.in(kRecurrentWeights).type, size.inputs, size.batch);
  const std::int64_t state =
      math::gemm_scratch_bytes(operation.in(kRecurrentStateWeights).type, size.hidden, size.batch);
  return {recurrent_walk_floats(operation), size.batch * size.row(), input > state ? input : state};
}

std::int64_t scratch_size(const Operation& operation) {
  const Scratch scratch = scratch_of(operation);
  return (scratch.walk + scratch.gates) * std::int64_t{sizeof(float)} + scratch.gemm;
}

Shape make_shape(std::initializer_list<std::int32_t> extents) {
  Shape shape;
  for (const std::int32_t extent : extents) shape[shape.rank++] = extent;
  return shape;
}

Status check_options(const format::Recurrent& options) {
  if (options.cell() > RecurrentCell::MAX || options.direction() > format::RecurrentDirection::MAX)
    return unsupported({"recurrent cell ", static_cast<int>(options.cell()), " in direction ",
                        static_cast<int>(options.direction()),
                        " is unknown; the file is damaged or needs a newer Figment"});
  if (!(options.clip() >= 0 && options.clip() <= 3.4e38F))  // a NaN is not
    return bad_file({"clip must be 0 or a positive number"});
  if (options.activations() == nullptr || options.activations()->size() == 0) return {};
  const int expected =
      recurrent_directions(options.direction()) * recurrent_activations(options.cell());
  if (options.activations()->size() != static_cast<flatbuffers::uoffset_t>(expected))
    return bad_file({"it has ", std::size_t{options.activations()->size()},
                     " activations but must have none or ", expected});
  for (const format::Unary* unary : *options.activations())
    FIG_TRY(check_unary(unary->function(), unary->alpha(), unary->beta()));
  return {};
}

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::Recurrent>();
  FIG_TRY(check_options(options));
  const bool lstm = options.cell() == RecurrentCell::Lstm;
  const int directions = recurrent_directions(options.direction());
  const int gates = kGates[static_cast<int>(options.cell())];

  FIG_TRY(require_rank(operation, kRecurrentX, 3));
  FIG_TRY(require_rank(operation, kRecurrentStateWeights, 3));
  const Shape& x = operation.in(kRecurrentX).shape;
  const Shape& weights = operation.in(kRecurrentStateWeights).shape;
  const int hidden = weights[2];
  if (weights[0] != directions || weights[1] != std::int64_t{gates} * hidden)
    return bad_file({"input 2 has shape ", weights, " but must have ", directions,
                     " directions of ", gates, " times ", hidden, " rows"});
  // A matrix of `hidden` columns and more rows is no longer than 2^31: nothing below overflows.
  const Shape state = make_shape({directions, x[1], hidden});
  const Shape expected[] = {x,
                            make_shape({directions, weights[1], x[2]}),
                            weights,
                            make_shape({directions, 2 * weights[1]}),
                            make_shape({x[1]}),
                            state,
                            state,
                            make_shape({directions, kPeepholes * hidden})};
  for (std::size_t index = 0; index < operation.inputs.size(); ++index) {
    if (!operation.has(index)) continue;
    if (index == kRecurrentLengths) {
      FIG_TRY(require_type(operation, index, DataType::kInt32));
    } else if (index == kRecurrentWeights || index == kRecurrentStateWeights) {
      FIG_TRY(require_weights(operation, index, std::int64_t{directions} * weights[1],
                              expected[index][2]));
    } else {
      FIG_TRY(require_float(operation, index));
    }
    if (!(operation.in(index).shape == expected[index]))
      return bad_file({"input ", index, " has shape ", operation.in(index).shape, " but must have ",
                       expected[index]});
    if (!lstm && index >= kRecurrentCell) return bad_file({"input ", index, " is for Lstm alone"});
  }

  const int states = !options.final_states() ? 0 : lstm ? 2 : 1;
  FIG_TRY(require_range(x[0], 1, INT32_MAX - states, "the number of steps"));
  FIG_TRY(require_positive(x[2], "the number of inputs"));
  FIG_TRY(set_result(result, DataType::kFloat32,
                     make_shape({x[0] + states, directions, x[1], hidden})));
  return require_scratch(scratch_size(operation));
}

std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(scratch_size(operation));
}

// ---- The portable engine: the matrix product of math/, the functions of unary.cc ----

struct Portable {
  const Operation& operation;
  RecurrentSizes size;
  float* gates;  // [batch, gates*hidden]
  std::byte* gemm_scratch;

  // The bias of the input (part 0) or of the state (part 1) in `direction`.
  const float* bias(int direction, int part) const {
    if (!operation.has(kRecurrentBias)) return nullptr;
    return operation.in(kRecurrentBias).floats() + (2 * direction + part) * size.row();
  }
};

float* input_product(void* context, int direction, std::int64_t position) {
  const Portable& self = *static_cast<const Portable*>(context);
  const RecurrentSizes& size = self.size;
  math::Gemm product;
  product.rows = size.batch;
  product.columns = size.row();
  product.depth = size.inputs;
  product.a = self.operation.in(kRecurrentX).floats() + position * size.batch * size.inputs;
  product.a_stride = size.inputs;
  product.b = self.operation.in(kRecurrentWeights);
  product.first_channel = direction * size.row();
  product.b_first = product.first_channel * size.inputs;
  product.bias = self.bias(direction, 0);
  product.c = self.gates;
  product.c_stride = size.row();
  math::gemm(product, self.gemm_scratch);
  return self.gates;
}

bool state_product(void* context, int direction, int first, int count, const float* hidden,
                   float* y) {
  const Portable& self = *static_cast<const Portable*>(context);
  const RecurrentSizes& size = self.size;
  const float* bias = self.bias(direction, 1);
  math::Gemm product;
  product.rows = size.batch;
  product.columns = count * size.hidden;
  product.depth = size.hidden;
  product.a = hidden;
  product.a_stride = size.hidden;
  product.b = self.operation.in(kRecurrentStateWeights);
  product.first_channel = (direction * size.gates + first) * size.hidden;
  product.b_first = product.first_channel * size.hidden;
  product.bias = bias != nullptr ? bias + first * size.hidden : nullptr;
  product.c = y;
  product.c_stride = size.row();
  math::gemm(product, self.gemm_scratch);
  return true;
}

bool activate(void*, const RecurrentActivation& activation, float* values, std::int64_t count) {
  apply_unary(activation.function, activation.alpha, activation.beta, values, values, count);
  return true;
}

void forward(const Operation& operation) {
  const Scratch parts = scratch_of(operation);
  float* scratch = reinterpret_cast<float*>(operation.scratch);
  float* gates = scratch + parts.walk;
  Portable portable{operation, recurrent_sizes(operation), gates,
                    reinterpret_cast<std::byte*>(gates + parts.gates)};
  walk_recurrent(operation, {&portable, input_product, state_product, activate}, scratch);
}

double multiply_adds(const Operation& operation) {
  const RecurrentSizes size = recurrent_sizes(operation);
  return static_cast<double>(size.steps * size.batch) *
         static_cast<double>(size.directions * size.row()) *
         static_cast<double>(size.inputs + size.hidden);
}

}  // namespace

extern const OperatorRoom kRecurrent;
const OperatorRoom kRecurrent{
    .min_inputs = 3,
    .max_inputs = 8,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = scratch_bytes,
    .forward = forward,
    .multiply_adds = multiply_adds,
};

}  // namespace figment::ops
