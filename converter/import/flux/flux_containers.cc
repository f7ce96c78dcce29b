// Layers of layers.
#include "converter/import/flux/flux_importer.h"
#include "converter/import/flux/flux_layer.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

std::vector<FluxPart> parts(const FluxLayer& layer) {
  return flux_parts(layer.required("layers"), layer.place());
}

TensorId chain(FluxLayer& layer, TensorId x) {
  // One whose layers all hold nothing is not in the file itself; its type is.
  for (const FluxPart& part : parts(layer)) x = layer.importer().apply(*part.value, part.place, x);
  return x;
}

// What joins two results, by the name of the function.
TensorId connect(FluxLayer& layer, const JuliaValue* function, TensorId a, TensorId b) {
  const std::string_view name = function == nullptr              ? std::string_view()
                                : function->is(JuliaKind::kType) ? short_name(*function)
                                                                 : struct_name(*function);
  if (name == "+") return layer.binary(BinaryFunction::Add, a, b);
  if (name == "-") return layer.binary(BinaryFunction::Sub, a, b);
  if (name == "*") return layer.binary(BinaryFunction::Mul, a, b);
  if (name == "max") return layer.binary(BinaryFunction::Max, a, b);
  if (name == "min") return layer.binary(BinaryFunction::Min, a, b);
  format::ConcatT options;
  const int rank = layer.rank(a);
  if (name == "vcat")
    options.axis = rank - 1;
  else if (name == "hcat")
    options.axis = rank - 2;
  else if (name == "cat_channels" || name == "chcat")
    options.axis = rank > 1 ? 1 : 0;
  else
    layer.refuse("it joins its results by '" + (name.empty() ? "?" : std::string(name)) +
                 "', whose code the file does not hold; +, -, *, max, min and vcat are known");
  if (options.axis < 1) layer.refuse("it would join samples");
  return layer.emit(options, {a, b});
}

TensorId parallel(FluxLayer& layer, TensorId x) {
  const JuliaValue* connection = layer.function("connection");
  TensorId y = kAbsent;
  for (const FluxPart& part : parts(layer)) {
    const TensorId one = layer.importer().apply(*part.value, part.place, x);
    y = y == kAbsent ? one : connect(layer, connection, y, one);
  }
  if (y == kAbsent) layer.refuse("it has no layers");
  return y;
}

TensorId skip_connection(FluxLayer& layer, TensorId x) {
  const JuliaValue* connection = layer.field("connection");
  if (connection == nullptr && layer.value().type != nullptr &&
      layer.value().type->items.size() == 2)
    connection = layer.value().type->items[1];
  const JuliaValue& inner = layer.required("layers");
  TensorId y = x;
  if (inner.is(JuliaKind::kList) || inner.is(JuliaKind::kDictionary)) {
    for (const FluxPart& part : parts(layer))
      y = layer.importer().apply(*part.value, part.place, y);
  } else {
    y = layer.importer().apply(inner, layer.place() + ".layers", x);
  }
  return connect(layer, connection, y, x);
}

TensorId maxout(FluxLayer& layer, TensorId x) {
  TensorId y = kAbsent;
  for (const FluxPart& part : parts(layer)) {
    const TensorId one = layer.importer().apply(*part.value, part.place, x);
    y = y == kAbsent ? one : layer.binary(BinaryFunction::Max, y, one);
  }
  if (y == kAbsent) layer.refuse("it has no layers");
  return y;
}

// outer ∘ inner
TensorId composed(FluxLayer& layer, TensorId x) {
  return layer.apply("outer", layer.apply("inner", x));
}

TensorId broadcast(FluxLayer& layer, TensorId x) { return layer.activate("f", x); }

TensorId dropout(FluxLayer& /*layer*/, TensorId x) { return x; }

constexpr FluxRow kRows[] = {
    {"AlphaDropout", dropout}, {"BroadcastFunction", broadcast},
    {"Chain", chain},          {"ComposedFunction", composed},
    {"Dropout", dropout},      {"Maxout", maxout},
    {"Parallel", parallel},    {"SkipConnection", skip_connection},
};

}  // namespace

const std::span<const FluxRow> kFluxContainers = kRows;

}  // namespace figment::converter
