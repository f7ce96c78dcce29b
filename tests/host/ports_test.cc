// The source's order of axes against the runtime's.
#include "targets/host/ports.h"

#include <doctest/doctest.h>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

// A picture that the source has as N,C,H,W = N,2,1,3 and the runtime as N,1,3,2.
Port picture_port(int channels = 2, int height = 1, int width = 3) {
  return {"picture", DataType::kFloat32, {{1, height, width, channels}, 4}, 0, {0, 3, 1, 2}};
}

Tensor tensor_over(std::vector<float>& values, const Shape& shape) {
  return {values.data(), shape, DataType::kFloat32, false, false};
}

template <typename Call>
ExitCode code_of(Call call) {
  try {
    call();
  } catch (const VerbError& error) {
    return error.code;
  }
  return ExitCode::kSuccess;
}

}  // namespace

TEST_CASE("an array in the source's order is stored in ours and comes back") {
  const Port port = picture_port();
  CHECK(source_shape(port, 2) == std::vector<std::int64_t>{2, 2, 1, 3});
  CHECK(describe_source_shape(port, true) == "Nx2x1x3");
  CHECK(describe_source_shape(port, false) == "1x2x1x3");
  CHECK(describe_shape(port.shape, 0) == "Nx1x3x2");
  const Array array{{2, 2, 1, 3}, {0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112}};
  std::vector<float> values(12);
  const Tensor tensor = tensor_over(values, {{2, 1, 3, 2}, 4});
  store_array(array, port, 2, tensor, "x.npy");
  CHECK(values == std::vector<float>{0, 10, 1, 11, 2, 12, 100, 110, 101, 111, 102, 112});
  CHECK(load_array(tensor, port, 2).values == array.values);
  CHECK(load_array(tensor, port, 2).shape == array.shape);
}

TEST_CASE("the batch is the extent of the batch axis, wherever the source has it") {
  CHECK(batch_of(picture_port(), {5, 2, 1, 3}) == 5);
  // The source: features first, batch last.
  const Port port{"z", DataType::kFloat32, {{1, 20}, 2}, 0, {1, 0}};
  CHECK(batch_of(port, {20, 7}) == 7);
  CHECK(batch_of(port, {20}) == 1);
  const Port fixed{"z", DataType::kFloat32, {{4, 20}, 2}, -1, {0, 1}};
  CHECK(batch_of(fixed, {8, 20}) == 1);
}

TEST_CASE("wrong shapes and fractions for integers are refused") {
  const Port port = picture_port();
  std::vector<float> values(6);
  const Tensor tensor = tensor_over(values, port.shape);
  CHECK(code_of([&] {
          store_array({{1, 1, 3, 2}, std::vector<double>(6)}, port, 1, tensor, "x");
        }) == ExitCode::kBadArgument);
  CHECK(code_of([&] {
          store_array({{6}, std::vector<double>(6)}, port, 1, tensor, "x");
        }) == ExitCode::kBadArgument);
  std::vector<std::int32_t> numbers(2);
  const Port labels{"label", DataType::kInt32, {{2}, 1}, -1, {0}};
  const Tensor integers{numbers.data(), labels.shape, DataType::kInt32, false, false};
  store_array({{2}, {3, -4}}, labels, 1, integers, "x");
  CHECK(numbers == std::vector<std::int32_t>{3, -4});
  CHECK(load_array(integers, labels, 1).values == std::vector<double>{3, -4});
  CHECK(code_of([&] {
          store_array({{2}, {3.5, 0}}, labels, 1, integers, "x");
        }) == ExitCode::kBadArgument);
}

TEST_CASE("a picture is stored in the model's range") {
  const Port port = picture_port(1, 1, 3);
  std::vector<float> values(3);
  store_picture({3, 1, 1, {0, 51, 255}}, -1, 1, port, tensor_over(values, port.shape), "x.png");
  CHECK(values[0] == -1.0F);
  CHECK(values[1] == doctest::Approx(-0.6));
  CHECK(values[2] == 1.0F);
  // Colour for a grey input becomes grey, and a flat input takes the pixels in order.
  const Port flat{"image", DataType::kFloat32, {{1, 3}, 2}, 0, {0, 1}};
  store_picture({3, 1, 3, {0, 0, 0, 255, 255, 255, 0, 0, 0}}, 0, 1, picture_port(1, 1, 3),
                tensor_over(values, {{1, 1, 3, 1}, 4}), "x.png");
  CHECK(values == std::vector<float>{0, 1, 0});
  store_picture({3, 1, 1, {255, 0, 255}}, 0, 1, flat, tensor_over(values, flat.shape), "x.png");
  CHECK(values == std::vector<float>{1, 0, 1});
  CHECK(code_of([&] {
          store_picture({2, 2, 1, {0, 0, 0, 0}}, 0, 1, port, tensor_over(values, port.shape),
                        "x.png");
        }) == ExitCode::kBadArgument);
}

TEST_CASE("pictures are read from an output, each of a batch") {
  std::vector<float> values = {-1, 1, 0, -1, 1, 1};
  const Tensor tensor = tensor_over(values, {{2, 3}, 2});
  const std::vector<Picture> pictures = load_pictures(tensor, {1, 3, 1, -1, 1});
  REQUIRE(pictures.size() == 2);
  CHECK(pictures[0].width == 3);
  CHECK(pictures[0].channels == 1);
  CHECK(pictures[0].pixels[0] == 0);
  CHECK(pictures[0].pixels[1] == 255);
  CHECK(pictures[1].pixels == std::vector<std::uint8_t>{0, 255, 255});
  CHECK(code_of([&] { load_pictures(tensor, {2, 2, 1, -1, 1}); }) == ExitCode::kBadArgument);
}

}  // namespace figment::host
