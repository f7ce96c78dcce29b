// One call of a function of PyTorch, or one of its layers: arguments by name, and the operators
// that it becomes.
//
// Functions are rows of tables: their name, PyTorch's own signature, and what makes operators of
// them. A TorchScript archive calls them as torch.NAME(...), a network's description by their name;
// layers (torch.nn) stand in descriptions alone and have weights.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "converter/import/import.h"
#include "converter/import/node_builder.h"
#include "converter/import/torch/value.h"
#include "converter/import/torch/weights.h"

namespace figment::converter {

// What all calls of one import share.
struct TorchContext {
  const ImportOptions& options;
  Graph& graph;
  int noises = 0;  // made so far
  // Where a source does not say which of its inputs are whole numbers: the names of those that turn
  // out to be. The import begins anew (TorchRestart) when one is added.
  std::set<std::string>* integer_inputs = nullptr;
};

struct TorchRestart {};

using TorchArguments = std::map<std::string, TorchValue>;

class TorchCall : public NodeBuilder {
 public:
  TorchCall(TorchContext& context, std::string label, std::string kind, TorchArguments arguments)
      : NodeBuilder(context.graph, std::move(label), std::move(kind)),
        context_(context),
        arguments_(std::move(arguments)) {}
  // Of a layer.
  TorchCall(TorchContext& context, std::string label, std::string kind, TorchArguments arguments,
            TorchWeights& weights, std::string prefix)
      : TorchCall(context, std::move(label), std::move(kind), std::move(arguments)) {
    weights_ = &weights;
    prefix_ = std::move(prefix);
  }

  TorchContext& context() const { return context_; }
  const ImportOptions& options() const { return context_.options; }

  // ---- Arguments; each throws when the argument is of another kind ----

  const TorchValue& argument(const std::string& name) const;
  // Neither left out nor None.
  bool given(const std::string& name) const;
  TensorId tensor(const std::string& name);  // a number becomes a constant
  TensorId optional_tensor(const std::string& name) { return given(name) ? tensor(name) : kAbsent; }
  std::vector<TensorId> tensors(const std::string& name);
  std::int64_t integer_argument(const std::string& name) const;
  int small_integer(const std::string& name, int low = 0) const;
  double number(const std::string& name) const;
  bool flag(const std::string& name) const;
  std::string text(const std::string& name) const;
  std::vector<std::int64_t> integers(const std::string& name) const;  // a number is a list of one
  int axis(const std::string& name, int rank) const;
  // One number a spatial axis, or one for all; [0] is along the height, [1] along the width.
  void per_axis(const std::string& name, int spatial_axes, int (&into)[2], int low = 0) const;

  // ---- A layer's weights ----

  // `axis` is that of the outputs.
  TensorId weight(const std::string& part, int axis = 0);
  TensorId optional_weight(const std::string& part, int axis = 0);
  bool has_weight(const std::string& part) const;
  // Marks one as known though nothing needs it.
  void ignore_weight(const std::string& part) const;
  // Refuses a weight that does not go with the input.
  void require(bool fits, TensorId weight, const std::string& wanted) const;

  // ---- Values ----

  // The tensor that a value stands for; numbers become constants.
  TensorId as_tensor(const TorchValue& value);
  // `x`, which must be of whole numbers.
  TensorId require_integers(TensorId x);
  // As float32.
  TensorId as_floats(TensorId x) { return cast(x, DataType::kFloat32); }
  // Numbers of the normal distribution: of an operator or, when asked for, an input.
  TensorId noise(const Shape& shape);
  // x[start:end] along an axis, 0 <= start < end <= extent, every `step`th.
  TensorId part(TensorId x, int axis, std::int64_t start, std::int64_t end, std::int64_t step = 1);
  // x less one axis at `index` of it.
  TensorId select_at(TensorId x, int axis, std::int64_t index);

 private:
  [[noreturn]] void wrong(const std::string& name, const std::string& wanted) const;

  TorchContext& context_;
  TorchArguments arguments_;
  TorchWeights* weights_ = nullptr;
  std::string prefix_;
};

struct TorchFunction {
  const char* name;
  const char* signature;
  TorchValue (*call)(TorchCall& call);
};

// nullptr: not supported. An underscore at the end (in place) makes no difference.
const TorchFunction* find_torch_function(const std::string& name);
const TorchFunction* find_torch_layer(const std::string& name);

// The families, each in its own file.
extern const std::span<const TorchFunction> kTorchActivations, kTorchActivationLayers;
extern const std::span<const TorchFunction> kTorchArithmetic;
extern const std::span<const TorchFunction> kTorchConvolution, kTorchConvolutionLayers;
extern const std::span<const TorchFunction> kTorchNormalization, kTorchNormalizationLayers;
extern const std::span<const TorchFunction> kTorchPictures, kTorchPictureLayers;
extern const std::span<const TorchFunction> kTorchPooling, kTorchPoolingLayers;
extern const std::span<const TorchFunction> kTorchProducts, kTorchProductLayers;
extern const std::span<const TorchFunction> kTorchRecurrent, kTorchRecurrentLayers;
extern const std::span<const TorchFunction> kTorchShapes, kTorchShapeLayers;
extern const std::span<const TorchFunction> kTorchParts;
extern const std::span<const TorchFunction> kTorchCreation;

}  // namespace figment::converter
