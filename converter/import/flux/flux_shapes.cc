// Functions that change an array's shape, by name; those without one stand in the importer.
#include "converter/import/flux/flux_importer.h"
#include "converter/import/flux/flux_layer.h"

namespace figment::converter {
namespace {

// All but Julia's last axis, which is the samples', become one.
TensorId flatten(FluxLayer& layer, TensorId x) {
  const Shape shape = layer.shape(x);
  if (shape.rank < 1 || shape[0] < 1) layer.refuse("there is nothing to flatten");
  return layer.reshape_to(x, {shape[0], shape.elements() / shape[0]});
}

// reshape or a broadcast function with its second argument given.
TensorId fixed_second(FluxLayer& layer, TensorId x) {
  const JuliaValue& function = layer.required("f");
  const JuliaValue& argument = layer.required("x");
  if (struct_name(function) == "leakyrelu" || struct_name(function) == "elu") {
    const float alpha = static_cast<float>(number_of(argument, "'" + layer.place() + ".x'"));
    return layer.unary(struct_name(function) == "elu" ? format::UnaryFunction::Elu
                                                      : format::UnaryFunction::LeakyRelu,
                       x, alpha);
  }
  if (struct_name(function) != "reshape" || !argument.is(JuliaKind::kList))
    layer.refuse("it calls '" + std::string(struct_name(function)) +
                 "', which is not known with an argument");
  std::vector<std::int64_t> extents;
  for (const JuliaValue* extent : argument.items)
    if (extent->is(JuliaKind::kInteger)) extents.push_back(extent->integer);
  if (extents.size() + 1 != argument.items.size())
    layer.refuse("its last extent is not ':', so that it holds for one number of samples");
  return reshape_flux(layer, x, extents);
}

// broadcast(f, x)
TensorId fixed_first(FluxLayer& layer, TensorId x) {
  if (struct_name(layer.required("f")) != "broadcast")
    layer.refuse("it calls '" + std::string(struct_name(layer.required("f"))) +
                 "', which is not known with an argument");
  return layer.apply("x", x);
}

constexpr FluxRow kRows[] = {
    {"Fix1", fixed_first},
    {"Fix2", fixed_second},
    {"flatten", flatten},
};

}  // namespace

const std::span<const FluxRow> kFluxShapes = kRows;

}  // namespace figment::converter
