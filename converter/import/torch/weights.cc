// State dicts: names, and weights that are put together from their parametrised form.
#include "converter/import/torch/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace figment::converter {
namespace {

// How the extents of `shape` lie around `axis`.
struct Around {
  std::int64_t before = 1, extent = 1, after = 1;
};

Around around(const Shape& shape, int axis) {
  Around sizes;
  for (int index = 0; index < shape.rank; ++index)
    (index < axis ? sizes.before : index == axis ? sizes.extent : sizes.after) *= shape[index];
  return sizes;
}

float* floats_of(TorchArray& array) { return reinterpret_cast<float*>(array.bytes.data()); }

// weight / (u^T W v), W with `axis` as its rows: the norm that training last estimated.
bool divide_by_spectral_norm(TorchArray& weight, const TorchArray& u, const TorchArray& v,
                             int axis) {
  const auto vector_of = [](const TorchArray& array, std::int64_t count) {
    return array.type == DataType::kFloat32 && array.shape.elements() == count;
  };
  const Around sizes = around(weight.shape, axis);
  if (weight.type != DataType::kFloat32 || !vector_of(u, sizes.extent) ||
      !vector_of(v, sizes.before * sizes.after))
    return false;
  double norm = 0;
  float* const values = floats_of(weight);
  for (std::int64_t before = 0; before < sizes.before; ++before)
    for (std::int64_t row = 0; row < sizes.extent; ++row)
      for (std::int64_t after = 0; after < sizes.after; ++after)
        norm += static_cast<double>(u.floats()[row]) *
                values[(before * sizes.extent + row) * sizes.after + after] *
                v.floats()[before * sizes.after + after];
  if (norm == 0 || !std::isfinite(norm)) return false;
  for (std::int64_t index = 0; index < weight.shape.elements(); ++index)
    values[index] = static_cast<float>(values[index] / norm);
  return true;
}

// weight * g / |weight|, the norm over all axes but the one along which g lies (or over all).
bool scale_to_norm(TorchArray& weight, const TorchArray& g) {
  int axis = -1;
  for (int index = 0; index < g.shape.rank; ++index)
    if (g.shape[index] != 1) axis = axis < 0 ? index : kMaxRank;
  if (axis < 0 && g.shape.rank > 0) axis = 0;  // one row
  const std::int64_t rows = axis < 0 ? 1 : axis < weight.shape.rank ? weight.shape[axis] : -1;
  if (weight.type != DataType::kFloat32 || g.type != DataType::kFloat32 ||
      g.shape.elements() != rows)
    return false;
  const Around sizes =
      axis < 0 ? Around{1, 1, weight.shape.elements()} : around(weight.shape, axis);
  float* const values = floats_of(weight);
  for (std::int64_t row = 0; row < sizes.extent; ++row) {
    double squares = 0;
    const auto each = [&](auto&& visit) {
      for (std::int64_t before = 0; before < sizes.before; ++before)
        for (std::int64_t after = 0; after < sizes.after; ++after)
          visit(values[(before * sizes.extent + row) * sizes.after + after]);
    };
    each([&](float value) { squares += static_cast<double>(value) * value; });
    const double factor = squares > 0 ? g.floats()[row] / std::sqrt(squares) : 0;
    each([&](float& value) { value = static_cast<float>(value * factor); });
  }
  return true;
}

}  // namespace

bool TorchWeights::has_prefix(const std::string& prefix) const {
  const auto found = names_.lower_bound(prefix);
  return found != names_.end() && found->first.starts_with(prefix);
}

const TorchTensor* TorchWeights::find(const std::string& name) const {
  const auto found = names_.find(name);
  return found != names_.end() ? &found->second : nullptr;
}

TorchArray TorchWeights::read(const std::string& name) {
  used_.insert(name);
  return reader_.read(names_.at(name), name);
}

TensorId TorchWeights::add_to(Graph& graph, const std::string& name) {
  used_.insert(name);
  return reader_.add_to(graph, names_.at(name), name);
}

bool TorchWeights::put_together(const std::string& prefix, const std::string& part, int axis,
                                TorchArray& into) {
  const std::string name = prefix + part;
  const auto damaged = [&](const std::string& what) {
    throw ConvertError("the " + what + " of the tensor '" + name + "' in " + file_ +
                       " does not fit it; the file is damaged: save it again");
  };
  const std::string parametrised = prefix + "parametrizations." + part + ".";
  const struct {
    std::string weight, u, v;
  } spectral[] = {{name + "_orig", name + "_u", name + "_v"},
                  {parametrised + "original", parametrised + "0._u", parametrised + "0._v"}};
  for (const auto& names : spectral) {
    if (!has(names.weight)) continue;
    if (!has(names.u) || !has(names.v)) damaged("spectral norm");
    into = read(names.weight);
    if (axis >= into.shape.rank ||
        !divide_by_spectral_norm(into, read(names.u), read(names.v), axis))
      damaged("spectral norm");
    return true;
  }
  const std::pair<std::string, std::string> norms[] = {
      {name + "_g", name + "_v"}, {parametrised + "original0", parametrised + "original1"}};
  for (const auto& [g, v] : norms) {
    if (!has(g) || !has(v)) continue;
    into = read(v);
    if (!scale_to_norm(into, read(g))) damaged("weight norm");
    return true;
  }
  return false;
}

std::vector<std::string> TorchWeights::unused(const std::vector<std::string>& ignored) const {
  std::vector<std::string> names;
  for (const auto& entry : names_) {
    const std::string& name = entry.first;
    const bool counter = name == "num_batches_tracked" || name.ends_with(".num_batches_tracked");
    const bool left_out = std::ranges::any_of(ignored, [&](const std::string& prefix) {
      return name == prefix || name.starts_with(prefix + ".");
    });
    if (!counter && !left_out && !used_.contains(name)) names.push_back(name);
  }
  return names;
}

std::string summarize(const TorchNames& names) {
  constexpr std::size_t kMost = 8;
  std::string text;
  std::size_t count = 0;
  for (const auto& [name, tensor] : names) {
    if (name.ends_with("num_batches_tracked")) continue;
    if (++count > kMost) continue;
    text += (text.empty() ? "'" : ", '") + name.substr(0, 60) + "' ";
    for (std::size_t axis = 0; axis < tensor.sizes.size(); ++axis)
      text += (axis > 0 ? "x" : "") + std::to_string(tensor.sizes[axis]);
    if (tensor.sizes.empty()) text += "(a number)";
  }
  if (count > kMost) text += ", and " + std::to_string(count - kMost) + " more";
  return text;
}

}  // namespace figment::converter
