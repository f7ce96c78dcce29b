// Softmax over the last axis.
#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {
namespace {

bool accepts(const Operation& operation) {
  return operation.as<format::Softmax>().axis() == operation.in(0).shape.rank - 1;
}

Status create(const Operation& operation, Build& build) {
  xnn_operator_t softmax = nullptr;
  FIG_TRY(status_of_created(xnn_create_softmax_nc_f32(/*flags=*/0, &softmax), softmax, "Softmax"));
  build.state = softmax;
  const std::size_t channels = extent(operation.in(0), operation.in(0).shape.rank - 1);
  const std::size_t rows = static_cast<std::size_t>(operation.in(0).elements()) / channels;
  return status_of(
      xnn_reshape_softmax_nc_f32(softmax, channels, channels, channels, rows, operation.threads),
      "Softmax");
}

bool bind(const Operation& operation, void* state) {
  return xnn_setup_softmax_nc_f32(operator_in(state), operation.in(0).floats(),
                                  operation.out().floats()) == xnn_status_success;
}

}  // namespace

extern const FastRoom kSoftmax;
const FastRoom kSoftmax{accepts, create, bind, run_operator};

}  // namespace figment::xnnpack
