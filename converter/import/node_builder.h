// The operators that one layer or node of a trained file becomes, whatever its format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::converter {

class NodeBuilder {
 public:
  // `label` is the source's name for it, `kind` its type; both for messages.
  NodeBuilder(Graph& graph, std::string label, std::string kind)
      : graph_(graph), label_(std::move(label)), kind_(std::move(kind)) {
    graph.importing = true;
  }
  virtual ~NodeBuilder() = default;

  const std::string& label() const { return label_; }
  const std::string& kind() const { return kind_; }
  Graph& graph() const { return graph_; }
  // Throws ConvertError: "node 'LABEL' (KIND): why".
  [[noreturn]] void refuse(const std::string& why) const;
  // Refuses a constant of `count` numbers that the node makes of a few, where the graph may not
  // make as many (Graph::may_make), or not at once. To be asked before it is added.
  void check_made(double count) const;
  // The same of a constant that is late.
  void check_late(double count) const;

  const GraphTensor& tensor(TensorId id) const { return graph_.tensor(id); }
  // The same; the values of a constant may be read.
  const GraphTensor& known(TensorId id) const {
    graph_.compute(id);
    return graph_.tensor(id);
  }
  Shape shape(TensorId id) const { return tensor(id).shape; }
  int rank(TensorId id) const { return tensor(id).shape.rank; }
  bool constant(TensorId id) const { return tensor(id).constant(); }
  DataType type(TensorId id) const { return tensor(id).type; }

  // ---- Numbers for the schema ----

  // `value` as an int between `low` and 2^31-1, or a refusal that names `what`.
  int checked_int(std::int64_t value, const std::string& what, int low = 0) const;
  // `axis` counted from the front, checked.
  int checked_axis(std::int64_t axis, int rank) const;

  // ---- Operators ----

  template <typename Table>
  TensorId emit(Table options, std::vector<TensorId> inputs,
                std::optional<Shape> declared = std::nullopt) {
    return graph_.add_node(label_, make_options(std::move(options)), std::move(inputs), declared);
  }
  // Of integers, which the runtime's functions of one number do not take, those that stay integers
  // are made of others.
  TensorId unary(format::UnaryFunction function, TensorId x, float alpha = 0, float beta = 0);
  TensorId binary(format::BinaryFunction function, TensorId a, TensorId b);
  // int32 of 0 or 1.
  TensorId compare(format::CompareFunction function, TensorId a, TensorId b);
  // condition != 0 ? a : b
  TensorId select(TensorId condition, TensorId a, TensorId b);
  // The same tensor when it is of that type.
  TensorId cast(TensorId x, DataType to);
  // The same tensor when nothing moves.
  virtual TensorId transpose(TensorId x, const std::vector<int>& permutation);
  TensorId reshape(TensorId x, const Shape& to);
  TensorId reshape_to(TensorId x, const std::vector<std::int64_t>& to) {
    return reshape(x, make_shape(to));
  }
  TensorId tile(TensorId x, const Shape& to);
  // The parts one after another along `axis`, however many there are.
  TensorId concat(std::vector<TensorId> parts, int axis);
  TensorId scalar(float value) { return graph_.add_floats(label_ + "/constant", Shape{}, {value}); }
  TensorId integer_constant(const std::vector<std::int64_t>& values, const Shape& shape);
  TensorId float_constant(const std::vector<float>& values, const Shape& shape) {
    return graph_.add_floats(label_ + "/constant", shape, values);
  }
  TensorId integer(std::int64_t value) { return integer_constant({value}, Shape{}); }
  // 0 in the type of x's numbers.
  TensorId zero_like(TensorId x) { return type(x) == DataType::kInt32 ? integer(0) : scalar(0); }
  // 0, 1, ... along an axis that has `after` axes behind it.
  TensorId counting(int count, int after);
  // x broadcast to `to` as NumPy does; refused when the shapes do not go together.
  TensorId expand(TensorId x, const Shape& to);

 private:
  Graph& graph_;
  std::string label_, kind_;
};

}  // namespace figment::converter
