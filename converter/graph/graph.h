// The converter's intermediate form: a list of the runtime's own operators over named tensors.
//
// Every graph between import and emit has a meaning that the runtime defines: importers emit the
// runtime's operators (pictures N,H,W,C, with a Transpose before and after where the source had
// N,C,H,W), and each pass turns one such graph into another with the same results. Shapes are those
// at batch 1; `batch_axis` says which axis the batch multiplies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "figment/figment.h"
#include "figment/format/model_generated.h"

namespace figment::converter {

// What a user did wrong or what cannot be converted: one sentence that names the node, the operator
// and what to do. The only exception of the converter; the command line prints it.
struct ConvertError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The file is damaged, or was never a model; other errors are about sound files.
struct DamagedFile : ConvertError {
  using ConvertError::ConvertError;
};

using TensorId = int;
inline constexpr TensorId kAbsent = -1;  // an optional operand that was not given

struct GraphTensor {
  std::string name;
  DataType type = DataType::kFloat32;
  Shape shape;
  int batch_axis = -1;
  // Row-major little-endian values of a constant. Constants of 64-bit integers and booleans in the
  // source are held as int32 (values saturate).
  std::optional<std::vector<std::byte>> data;
  std::vector<float> scales;  // of an int8 constant: one an output channel
  // A constant without its values, which `read` gives or a node of the graph has still to compute.
  bool late = false;
  std::function<std::vector<std::byte>()> read;

  bool constant() const { return data.has_value() || late; }
  // Of a constant that is not late (Graph::compute).
  const float* floats() const { return reinterpret_cast<const float*>(data.value().data()); }
  const std::int32_t* integers() const {
    return reinterpret_cast<const std::int32_t*>(data.value().data());
  }
};

struct Node {
  std::string name;  // the source's, for messages
  format::OperatorOptionsUnion options;
  std::vector<TensorId> inputs;
  TensorId output = kAbsent;
  std::optional<format::UnaryT> activation;
  std::string lowering;  // the way to run it that the file asks for; empty: the runtime chooses

  format::OperatorOptions kind() const { return options.type; }
  // The options of a node whose kind is known: node.as<format::Conv2DT>().
  template <typename T>
  T& as() {
    return *static_cast<T*>(options.value);
  }
  template <typename T>
  const T& as() const {
    return *static_cast<const T*>(options.value);
  }
};

// Makes options for a node: make_options(format::Conv2DT{...}).
template <typename T>
format::OperatorOptionsUnion make_options(T table) {
  format::OperatorOptionsUnion options;
  options.Set(std::move(table));
  return options;
}

struct GraphPort {
  std::string name;
  TensorId tensor = kAbsent;
  std::vector<std::uint8_t>
      source_axes;  // axis i of the source's order is our axis source_axes[i]; empty: same
};

struct Graph {
  std::string name;
  std::vector<GraphTensor> tensors;
  std::vector<Node> nodes;  // in the order in which they run
  std::vector<GraphPort> inputs, outputs;
  bool any_batch = false;
  // Bytes of the constants that were added, and of those that operators have made of others: a few
  // bytes of a file must not claim the machine's memory.
  std::int64_t added_bytes = 0, made_bytes = 0;
  std::int64_t freely_made = std::int64_t{1} << 24;
  // While a file is imported, all but small constants are late until sweep(), so that a file that
  // is refused has not had them made.
  bool importing = false;
  std::int64_t computed_bytes = 0;  // meanwhile

  const GraphTensor& tensor(TensorId id) const { return tensors[static_cast<std::size_t>(id)]; }
  GraphTensor& tensor(TensorId id) { return tensors[static_cast<std::size_t>(id)]; }

  // Counts `bytes` of a constant that an operator makes; false when all of them would be more than
  // `freely_made` and eight times the constants that were added, as int8 weights become that are
  // widened and turned.
  bool may_make(std::int64_t bytes);

  TensorId add_input(std::string tensor_name, DataType type, const Shape& shape);
  TensorId add_constant(std::string tensor_name, DataType type, const Shape& shape,
                        std::vector<std::byte> data);
  TensorId add_floats(std::string tensor_name, const Shape& shape,
                      const std::vector<float>& values);
  TensorId add_integers(std::string tensor_name, const Shape& shape,
                        const std::vector<std::int32_t>& values);

  // Of a file that is imported; `read` gives as many bytes as fill the shape, which must have been
  // seen to be there, and is called at the latest by sweep().
  TensorId add_late(std::string tensor_name, DataType type, const Shape& shape,
                    std::function<std::vector<std::byte>()> read);
  TensorId add_late_floats(std::string tensor_name, const Shape& shape,
                           std::function<std::vector<float>()> read);

  // Gives a constant that is late its values. Throws ConvertError where those of constants that had
  // to be computed for it take more than `freely_made`.
  void compute(TensorId id);

  // Appends a node and returns its output, whose type and shape the runtime's own rule gives.
  // `declared` is for operators whose output is a matter of declaration (Reshape, Tile,
  // RandomNormal). When every input is constant (and the operator is not RandomNormal) nothing is
  // appended: the runtime's portable definition computes the values and the result is a constant
  // (perhaps late).
  // Throws ConvertError with the runtime's sentence.
  TensorId add_node(std::string node_name, format::OperatorOptionsUnion options,
                    std::vector<TensorId> node_inputs,
                    std::optional<Shape> declared = std::nullopt);
};

Shape make_shape(const std::vector<std::int64_t>& extents);  // throws past kMaxRank axes
std::string describe(const Shape& shape);                    // "1x3x64x64"
std::string kind_name(const Node& node);                     // "ConvTranspose2D"

// The output's type and shape that the runtime's rule gives `node` when its inputs have the shapes
// of `batch` times their batch axis. Throws ConvertError with the runtime's sentence.
GraphTensor infer(const Graph& graph, const Node& node, int batch);

// Checks that every node's declared output is what the runtime's rules give, at `batch`; false at
// the first that is not.
bool holds_at_batch(const Graph& graph, int batch);

// Runs one node whose inputs are all constant through the runtime's portable definition; its
// activation is left to the caller. Throws ConvertError where may_make() says no.
std::vector<std::byte> evaluate(Graph& graph, const Node& node, const GraphTensor& result);

// How many nodes and outputs read each tensor; index = tensor id.
std::vector<int> count_readers(const Graph& graph);

// Gives all constants that are late their values, and drops those that only they were made of.
void compute_late(Graph& graph);

// Drops nodes that no output needs and tensors that nobody names, and renumbers. Importers end with
// it: what is late is computed.
void sweep(Graph& graph);

// A printed form for people: one line a node.
std::string print(const Graph& graph);

}  // namespace figment::converter
