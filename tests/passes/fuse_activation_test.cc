// An activation joins the operator before it when nobody else reads what it reads.
#include <doctest/doctest.h>

#include <limits>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::UnaryFunction;

TEST_CASE("a chain of layers carries its activations") {
  Graph before;
  TensorId x = add_batch_input(before, "x", {1, 3, 4, 2});
  x = unary(before, convolution(before, x, 3, 1), UnaryFunction::LeakyRelu, 0.2f);
  x = unary(before, transposed_convolution(before, x, 2, 1, 3), UnaryFunction::Relu);
  x = unary(before, binary(before, x, add_some(before, {2}, 5), format::BinaryFunction::Add),
            UnaryFunction::Elu, 1.0f);
  add_output(before, unary(before, batch_normalization(before, x, 6), UnaryFunction::Tanh));
  Graph after = before;
  CHECK(fuse_activation(after).changes == 4);
  CHECK(count<format::UnaryT>(after) == 0);
  CHECK(after.nodes.size() == 4);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("an activation passes a Reshape") {
  Graph before;
  const TensorId x = dense(before, add_batch_input(before, "x", {1, 3}), 8, 1);
  add_output(before, unary(before, reshape(before, x, {1, 2, 2, 2}), UnaryFunction::Sigmoid));
  Graph after = before;
  CHECK(fuse_activation(after).changes == 1);
  CHECK(after.nodes.size() == 2);
  CHECK(after.nodes[0].activation.has_value());
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("an operator keeps the activation that it has; the next one stays a node") {
  Graph before;
  TensorId x = dense(before, add_batch_input(before, "x", {1, 3}), 4, 1);
  x = unary(before, x, UnaryFunction::Tanh);
  add_output(before, unary(before, x, UnaryFunction::Relu));
  before.nodes[0].activation = format::UnaryT{{}, UnaryFunction::Sigmoid, 0.0f, 0.0f};
  Graph after = before;
  fuse_activation(after);
  CHECK(after.nodes[0].activation->function == UnaryFunction::Sigmoid);
  CHECK(count<format::UnaryT>(after) == 1);  // Tanh, which carries Relu
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("what two read stays as it is") {
  Graph before;
  const TensorId x = dense(before, add_batch_input(before, "x", {1, 3}), 4, 1);
  add_output(before,
             binary(before, x, unary(before, x, UnaryFunction::Tanh), format::BinaryFunction::Add));
  Graph after = before;
  CHECK(fuse_activation(after).changes == 0);
  CHECK(count<format::UnaryT>(after) == 1);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("what the model shows stays as it is") {
  Graph before;
  const TensorId logits = dense(before, add_batch_input(before, "x", {1, 3}), 4, 1);
  add_output(before, logits);
  add_output(before, unary(before, logits, UnaryFunction::Sigmoid));
  Graph after = before;
  CHECK(fuse_activation(after).changes == 0);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("the model's input is not overwritten through a Reshape") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 6});
  add_output(before, unary(before, reshape(before, x, {1, 2, 3}), UnaryFunction::Tanh));
  Graph after = before;
  CHECK(fuse_activation(after).changes == 0);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("Clip from 0 up is Relu, Clip without limits is nothing") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Graph before;
  TensorId x = dense(before, add_batch_input(before, "x", {1, 3}), 4, 1);
  x = unary(before, x, UnaryFunction::Clip, 0.0f, std::numeric_limits<float>::max());
  add_output(before, unary(before, x, UnaryFunction::Clip, -kInfinity, kInfinity));
  Graph after = before;
  fuse_activation(after);
  CHECK(after.nodes.size() == 1);
  CHECK(after.nodes[0].activation->function == UnaryFunction::Relu);
  CHECK(difference(before, after) == 0.0);
}
