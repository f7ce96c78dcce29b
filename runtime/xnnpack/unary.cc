// Elementwise functions that XNNPACK has; the others stay portable.
#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {
namespace {

// XNNPACK's name and parameters for a function of the schema.
struct Choice {
  xnn_unary_operator function = xnn_unary_invalid;
  xnn_unary_params parameters{};
};

Choice choose(const format::Unary& unary) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Choice choice;
  switch (unary.function()) {
    case format::UnaryFunction::Abs:
      choice.function = xnn_unary_abs;
      break;
    case format::UnaryFunction::Neg:
      choice.function = xnn_unary_negate;
      break;
    case format::UnaryFunction::Sqrt:
      choice.function = xnn_unary_square_root;
      break;
    case format::UnaryFunction::Exp:
      choice.function = xnn_unary_exp;
      break;
    case format::UnaryFunction::Log:
      choice.function = xnn_unary_log;
      break;
    case format::UnaryFunction::Relu:
      choice.function = xnn_unary_clamp;
      choice.parameters.clamp = {0, kInfinity};
      break;
    case format::UnaryFunction::Clip:
      if (!(unary.alpha() < unary.beta())) break;
      choice.function = xnn_unary_clamp;
      choice.parameters.clamp = {unary.alpha(), unary.beta()};
      break;
    case format::UnaryFunction::LeakyRelu:
      choice.function = xnn_unary_leaky_relu;
      choice.parameters.leaky_relu.negative_slope = unary.alpha();
      break;
    case format::UnaryFunction::Elu:
      choice.function = xnn_unary_elu;
      choice.parameters.elu.alpha = unary.alpha();
      break;
    case format::UnaryFunction::Sigmoid:
      choice.function = xnn_unary_sigmoid;
      break;
    case format::UnaryFunction::Tanh:
      choice.function = xnn_unary_tanh;
      break;
    case format::UnaryFunction::HardSwish:
      choice.function = xnn_unary_hardswish;
      break;
    case format::UnaryFunction::Gelu:
      choice.function = xnn_unary_gelu;
      break;
    case format::UnaryFunction::Floor:
      choice.function = xnn_unary_floor;
      break;
    case format::UnaryFunction::Ceil:
      choice.function = xnn_unary_ceiling;
      break;
    case format::UnaryFunction::Round:
      choice.function = xnn_unary_bankers_rounding;
      break;
    default:
      break;
  }
  return choice;
}

bool accepts(const Operation& operation) {
  return operation.in(0).type == DataType::kFloat32 &&
         choose(operation.as<format::Unary>()).function != xnn_unary_invalid;
}

Status create(const Operation& operation, Build& build) {
  const Choice choice = choose(operation.as<format::Unary>());
  xnn_operator_t unary = nullptr;
  FIG_TRY(status_of_created(
      xnn_create_unary_elementwise_nc(choice.function, xnn_datatype_fp32, xnn_datatype_fp32,
                                      &choice.parameters, nullptr, nullptr, /*flags=*/0, &unary),
      unary, "Unary"));
  build.state = unary;
  const auto count = static_cast<std::size_t>(operation.out().elements());
  return status_of(xnn_reshape_unary_elementwise_nc(unary, /*batch_size=*/1, count, count, count,
                                                    operation.threads),
                   "Unary");
}

bool bind(const Operation& operation, void* state) {
  return xnn_setup_unary_elementwise_nc(operator_in(state), operation.in(0).data,
                                        operation.out().data) == xnn_status_success;
}

}  // namespace

extern const FastRoom kUnary;
const FastRoom kUnary{accepts, create, bind, run_operator};

}  // namespace figment::xnnpack
