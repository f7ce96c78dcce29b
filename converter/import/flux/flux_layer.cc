// One layer of a Flux model while it becomes operators.
#include "converter/import/flux/flux_layer.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "converter/import/flux/flux_importer.h"

namespace figment::converter {
namespace {

std::string kind_of(const JuliaValue& value) {
  const JuliaValue* type = value.is(JuliaKind::kType) ? &value : value.type;
  if (type == nullptr) return "no layer";
  return (is_closure(value) ? "#" : "") + std::string(short_name(*type));
}

bool is_function_type(const JuliaValue& type) {
  return type.is(JuliaKind::kType) &&
         (type.text.starts_with('#') || type.text.find(".#") != std::string::npos);
}

}  // namespace

FluxLayer::FluxLayer(FluxImporter& importer, const JuliaValue& value, const std::string& place)
    : NodeBuilder(importer.graph(), place, kind_of(value)), importer_(importer), value_(value) {
  // What the file has no names for must be of a version that is known.
  if (value.is(JuliaKind::kStruct) && value.names.empty() && !value.items.empty() &&
      flux_field_names(kind(), value.items.size()).empty() && kind().find("Dropout") == kind().npos)
    refuse("it has " + std::to_string(value.items.size()) +
           " fields, as in no version of Flux.jl that is known; save the model with another");
}

// ---- Fields ----

const JuliaValue* FluxLayer::field(std::string_view name) const { return flux_field(value_, name); }

const JuliaValue& FluxLayer::required(std::string_view name) const {
  const JuliaValue* found = field(name);
  if (found == nullptr)
    refuse("it lacks its field '" + std::string(name) +
           "'; the file is damaged, or of a version of Flux.jl that is not known");
  return *found;
}

std::int64_t FluxLayer::integer(std::string_view name, std::int64_t otherwise) const {
  const JuliaValue* found = field(name);
  if (found == nullptr || found->is(JuliaKind::kNothing)) return otherwise;
  if (!found->is(JuliaKind::kInteger)) refuse("its '" + std::string(name) + "' is no integer");
  return found->integer;
}

float FluxLayer::number(std::string_view name, float otherwise) const {
  const JuliaValue* found = field(name);
  if (found == nullptr || found->is(JuliaKind::kNothing)) return otherwise;
  return static_cast<float>(number_of(*found, "'" + place() + "." + std::string(name) + "'"));
}

bool FluxLayer::flag(std::string_view name, bool otherwise) const {
  const JuliaValue* found = field(name);
  return found != nullptr && found->is(JuliaKind::kBool) ? found->integer != 0 : otherwise;
}

std::vector<std::int64_t> FluxLayer::integers(const JuliaValue& list, std::size_t count) const {
  std::vector<std::int64_t> values;
  if (list.is(JuliaKind::kInteger)) return std::vector<std::int64_t>(count, list.integer);
  if (list.is(JuliaKind::kList))
    for (const JuliaValue* item : list.items)
      if (item->is(JuliaKind::kInteger)) values.push_back(item->integer);
  if (values.size() != count || list.items.size() != count)
    refuse("it has no " + std::to_string(count) +
           " whole numbers where one for each axis is wanted");
  return values;
}

TensorId FluxLayer::array(const JuliaValue& numbers, const std::string& name, int rank) const {
  const std::string what = "'" + place() + "." + name + "'";
  if (numbers.is(JuliaKind::kOther) && !numbers.text.empty())
    throw ConvertError(what + " " + numbers.text);
  if (!numbers.is(JuliaKind::kNumbers))
    throw ConvertError(what + " is no plain array; save the model as cpu(model)");
  if (rank != 0 && numbers.extents.size() != static_cast<std::size_t>(rank))
    throw ConvertError(what + " has " + std::to_string(numbers.extents.size()) +
                       " axes, but must have " + std::to_string(rank));
  importer_.spend(numbers, what);
  return graph().add_floats(place() + "." + name,
                            make_shape({numbers.extents.rbegin(), numbers.extents.rend()}),
                            floats_of(numbers, what));
}

TensorId FluxLayer::array(std::string_view name, int rank) const {
  return array(required(name), std::string(name), rank);
}

TensorId FluxLayer::optional_array(std::string_view name, int rank) const {
  const JuliaValue* found = field(name);
  if (found == nullptr || found->is(JuliaKind::kNothing) || struct_name(*found) == "Zeros")
    return kAbsent;
  if (found->is(JuliaKind::kBool) && found->integer == 0) return kAbsent;
  return array(*found, std::string(name), rank);
}

// ---- Parts ----

TensorId FluxLayer::apply(std::string_view name, TensorId x) const {
  return importer_.apply(required(name), place() + "." + std::string(name), x);
}

const JuliaValue* FluxLayer::function(std::string_view name) const {
  if (const JuliaValue* found = field(name)) return found;
  if (value_.type == nullptr) return nullptr;
  for (const JuliaValue* parameter : value_.type->items)
    if (is_function_type(*parameter)) return parameter;
  return nullptr;
}

TensorId FluxLayer::activate(std::string_view name, TensorId x) const {
  const JuliaValue* found = function(name);
  if (found == nullptr || found->is(JuliaKind::kNothing)) return x;
  return importer_.apply(*found, place() + "." + std::string(name), x);
}

// ---- Axes ----

TensorId FluxLayer::to_channels_last(TensorId x) {
  std::vector<int> permutation(static_cast<std::size_t>(rank(x)));
  std::iota(permutation.begin(), permutation.end(), 0);
  if (rank(x) > 2) std::rotate(permutation.begin() + 1, permutation.begin() + 2, permutation.end());
  return transpose(x, permutation);
}

TensorId FluxLayer::from_channels_last(TensorId x) {
  std::vector<int> permutation(static_cast<std::size_t>(rank(x)));
  std::iota(permutation.begin(), permutation.end(), 0);
  if (rank(x) > 2) std::rotate(permutation.begin() + 1, permutation.end() - 1, permutation.end());
  return transpose(x, permutation);
}

TensorId FluxLayer::to_picture(TensorId x) {
  if (rank(x) != 3 && rank(x) != 4)
    refuse("its input has " + std::to_string(rank(x)) +
           " axes; only signals (L, C, N) and pictures (W, H, C, N) are supported");
  const TensorId last = to_channels_last(x);
  if (rank(last) == 4) return last;
  const Shape shape = this->shape(last);
  return reshape_to(last, {shape[0], 1, shape[1], shape[2]});
}

TensorId FluxLayer::from_picture(TensorId picture, int rank) {
  if (rank == 4) return from_channels_last(picture);
  const Shape shape = this->shape(picture);
  return from_channels_last(reshape_to(picture, {shape[0], shape[2], shape[3]}));
}

}  // namespace figment::converter
