// Recurrent layers: the input's products of many positions at once, the state's at each position.
#include <algorithm>

#include "runtime/ops/recurrent_cells.h"
#include "runtime/ops/unary.h"
#include "runtime/xnnpack/matrix_product.h"

namespace figment::xnnpack {
namespace {

using ops::RecurrentSizes;

// Of the input's products held at a time: within a second-level cache.
constexpr std::int64_t kProductBytes = 256 * 1024;
// Multiply-adds in one position below which sharing them between threads costs more than it saves.
constexpr std::int64_t kThreadedProduct = 1 << 20;

constexpr int kMaxDirections = 2;

struct State {
  MatrixProduct input[kMaxDirections];
  MatrixProduct gates[kMaxDirections];      // of the state: all, or those before the reset
  MatrixProduct candidate[kMaxDirections];  // of the state as the reset gate leaves it
  xnn_operator_t sigmoid;
  xnn_operator_t tanh;
};

// Positions whose input products are held at a time.
std::int64_t positions_at_a_time(const RecurrentSizes& size) {
  const std::int64_t bytes = size.batch * size.row() * std::int64_t{sizeof(float)};
  return std::clamp<std::int64_t>(kProductBytes / bytes, 1, size.steps);
}

bool accepts(const Operation& operation) {
  return packable(operation.in(ops::kRecurrentWeights)) &&
         packable(operation.in(ops::kRecurrentStateWeights)) &&
         (!operation.has(ops::kRecurrentBias) || operation.in(ops::kRecurrentBias).constant);
}

Status create_function(xnn_unary_operator function, xnn_operator_t& created) {
  const xnn_unary_params none{};
  return status_of_created(
      xnn_create_unary_elementwise_nc(function, xnn_datatype_fp32, xnn_datatype_fp32, &none,
                                      nullptr, nullptr, /*flags=*/0, &created),
      created, "Recurrent");
}

// One product a direction, of some of the gates.
struct Part {
  MatrixProduct* products;
  std::int64_t first, count;
};

// Packs `parts` of the weights in `operand`, for each direction.
Status create_products(const Operation& operation, Build& build, std::size_t operand, int bias_part,
                       std::initializer_list<Part> parts) {
  const RecurrentSizes size = ops::recurrent_sizes(operation);
  const Tensor& weights = operation.in(operand);
  const std::int64_t depth = weights.shape[2];
  const float* wide = widen(weights, build.arena);
  if (wide == nullptr) return backend_error({"the arena is full"});
  const float* biases = bias_of(operation, ops::kRecurrentBias);
  Status status;
  for (const Part& part : parts)
    for (int direction = 0; direction < size.directions && status.ok(); ++direction) {
      const float* bias = biases == nullptr ? nullptr
                                            : biases + (2 * direction + bias_part) * size.row() +
                                                  part.first * size.hidden;
      const MatrixProductShape shape{static_cast<std::size_t>(part.count * size.hidden),
                                     static_cast<std::size_t>(depth),
                                     static_cast<std::size_t>(size.row())};
      status = create_matrix_product(
          shape,
          {wide + (direction * size.gates + part.first) * size.hidden * depth, nullptr, nullptr, 0},
          bias, Limits{}, build, part.products[direction]);
    }
  build.arena.give_back();
  return status;
}

Status create(const Operation& operation, Build& build) {
  State* state = build.arena.allocate_array<State>(1);
  if (state == nullptr) return backend_error({"the arena is full"});
  *state = State{};
  build.state = state;
  build.lowering = "gemm";
  const RecurrentSizes size = ops::recurrent_sizes(operation);
  FIG_TRY(create_products(operation, build, ops::kRecurrentWeights, 0,
                          {{state->input, 0, size.gates}}));
  if (ops::resets_before(operation.as<format::Recurrent>())) {
    FIG_TRY(create_products(operation, build, ops::kRecurrentStateWeights, 1,
                            {{state->gates, 0, 2}, {state->candidate, 2, 1}}));
  } else {
    FIG_TRY(create_products(operation, build, ops::kRecurrentStateWeights, 1,
                            {{state->gates, 0, size.gates}}));
  }
  FIG_TRY(create_function(xnn_unary_sigmoid, state->sigmoid));
  FIG_TRY(create_function(xnn_unary_tanh, state->tanh));
  const std::int64_t floats =
      ops::recurrent_walk_floats(operation) + positions_at_a_time(size) * size.batch * size.row();
  build.scratch_bytes = static_cast<std::size_t>(floats) * sizeof(float);
  return {};
}

// Every operator gets its addresses as it runs.
bool bind(const Operation&, void*) { return true; }

struct Run {
  const Operation& operation;
  const State& state;
  RecurrentSizes size;
  float* products;          // of the input: [positions at a time, batch, gates*hidden]
  std::int64_t chunk = -1;  // which positions' products those are
  int direction = -1;
};

float* input_product(void* context, int direction, std::int64_t position) {
  Run& run = *static_cast<Run*>(context);
  const RecurrentSizes& size = run.size;
  const std::int64_t positions = positions_at_a_time(size);
  const std::int64_t chunk = position / positions;
  const std::int64_t first = chunk * positions;
  if (chunk != run.chunk || direction != run.direction) {
    run.chunk = chunk;
    run.direction = direction;
    const std::int64_t rows = std::min(positions, size.steps - first) * size.batch;
    const float* x = run.operation.in(ops::kRecurrentX).floats() + first * size.batch * size.inputs;
    if (!run_matrix_product(run.state.input[direction], static_cast<std::size_t>(rows), x,
                            run.products, run.operation.threads))
      return nullptr;
  }
  return run.products + (position - first) * size.batch * size.row();
}

bool state_product(void* context, int direction, int first, int count, const float* hidden,
                   float* y) {
  const Run& run = *static_cast<const Run*>(context);
  const RecurrentSizes& size = run.size;
  const bool large = size.batch * count * size.hidden * size.hidden >= kThreadedProduct;
  return run_matrix_product(
      first == 0 ? run.state.gates[direction] : run.state.candidate[direction],
      static_cast<std::size_t>(size.batch), hidden, y, large ? run.operation.threads : nullptr);
}

bool activate(void* context, const ops::RecurrentActivation& activation, float* values,
              std::int64_t count) {
  const Run& run = *static_cast<const Run*>(context);
  xnn_operator_t function = nullptr;
  if (activation.function == format::UnaryFunction::Sigmoid) function = run.state.sigmoid;
  if (activation.function == format::UnaryFunction::Tanh) function = run.state.tanh;
  if (function == nullptr) {
    ops::apply_unary(activation.function, activation.alpha, activation.beta, values, values, count);
    return true;
  }
  const auto numbers = static_cast<std::size_t>(count);
  return xnn_reshape_unary_elementwise_nc(function, /*batch_size=*/1, numbers, numbers, numbers,
                                          nullptr) == xnn_status_success &&
         xnn_setup_unary_elementwise_nc(function, values, values) == xnn_status_success &&
         xnn_run_operator(function, nullptr) == xnn_status_success;
}

bool run(const Operation& operation, void* memory) {
  float* scratch = reinterpret_cast<float*>(operation.scratch);
  Run run{operation, *static_cast<State*>(memory), ops::recurrent_sizes(operation),
          scratch + ops::recurrent_walk_floats(operation)};
  return ops::walk_recurrent(operation, {&run, input_product, state_product, activate}, scratch);
}

}  // namespace

extern const FastRoom kRecurrent;
const FastRoom kRecurrent{accepts, create, bind, run};

}  // namespace figment::xnnpack
