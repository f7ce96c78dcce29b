// Inputs of models whose source leaves extents open, and cuts through models.
#include "converter/import/open_inputs.h"

#include <algorithm>

namespace figment::converter {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 36;

std::string describe_open(const std::vector<std::int64_t>& extents) {
  std::string text;
  for (const std::int64_t extent : extents)
    text += (text.empty() ? "" : "x") + (extent < 0 ? "?" : std::to_string(extent));
  return text;
}

}  // namespace

Shape input_shape(const ImportOptions& options, const std::string& name,
                  std::vector<std::int64_t> extents) {
  if (const auto given = options.input_shapes.find(name); given != options.input_shapes.end()) {
    const std::vector<std::int64_t>& asked = given->second;
    bool fits = extents.empty() || asked.size() == extents.size();
    for (std::size_t axis = 0; fits && axis < extents.size(); ++axis)
      fits = extents[axis] < 0 || extents[axis] == asked[axis];
    if (!fits)
      throw ConvertError("the input '" + name + "' is " + describe_open(extents) +
                         ", which the shape that --input gives it does not fit");
    // A batch of 1 says no more than the source does.
    const bool open = extents.empty() || extents[0] < 0;
    extents = asked;
    if (open && !extents.empty() && extents[0] == 1) extents[0] = -1;
  }
  if (extents.empty())
    throw ConvertError("the model does not say what shape its input '" + name +
                       "' has; say it with --input " + name + "=1x...");
  const std::string described = describe_open(extents);
  std::vector<std::int64_t> example = extents;
  std::ranges::replace(example, -1, 64);
  example[0] = 1;
  if (extents[0] < 0) extents[0] = options.batch;
  if (std::ranges::any_of(extents, [](std::int64_t extent) { return extent < 0; }))
    throw ConvertError("the input '" + name + "' is " + described +
                       "; say its extents, for example --input " + name + '=' +
                       describe_open(example));
  std::int64_t elements = 1;
  bool holds = true;
  for (const std::int64_t extent : extents)
    holds =
        holds && !__builtin_mul_overflow(elements, extent, &elements) && elements <= kMostElements;
  if (!holds)
    throw ConvertError("the input '" + name + "' is " + described +
                       ", which is more than any memory holds; the file is damaged");
  return make_shape(extents);
}

void check_input_names(const ImportOptions& options, const Graph& graph) {
  for (const auto& given : options.input_shapes)
    if (std::ranges::none_of(graph.inputs,
                             [&](const GraphPort& port) { return port.name == given.first; }))
      throw ConvertError("the model has no input '" + given.first + "', whose shape --input gives");
}

void check_cut(const ImportOptions& options, const Graph& graph, const std::vector<TensorId>& cut,
               const std::vector<std::pair<std::string, TensorId>>& outputs) {
  if (options.from.empty()) return;
  const std::vector<int> readers = count_readers(graph);
  for (const TensorId id : cut)
    if (readers[static_cast<std::size_t>(id)] > 0 ||
        std::ranges::any_of(outputs, [&](const auto& output) { return output.second == id; }))
      return;
  throw ConvertError("'" + options.from + "' is not before what shall be computed" +
                     (options.to.empty() ? "" : ", '" + options.to + "'") +
                     "; turn --from and --to round, or name other layers");
}

}  // namespace figment::converter
