// What stands for the file's tensors: constants, and int8 in both its forms.
#include <bit>
#include <cmath>
#include <cstring>

#include "converter/import/tflite/importer.h"
#include "runtime/math/half.h"

namespace figment::converter {
namespace {

using tflite::TensorType;

static_assert(std::endian::native == std::endian::little, "as the numbers in files");

// Bytes of one element; 0: not read here.
std::size_t element_size(TensorType type) {
  switch (type) {
    case TensorType::INT64:
      return 8;
    case TensorType::FLOAT32:
    case TensorType::INT32:
      return 4;
    case TensorType::FLOAT16:
      return 2;
    case TensorType::INT8:
    case TensorType::UINT8:
    case TensorType::BOOL:
      return 1;
    default:
      return 0;
  }
}

template <typename T>
T element(std::span<const std::byte> bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

std::int32_t whole_number(TensorType type, std::span<const std::byte> bytes, std::size_t index) {
  switch (type) {
    case TensorType::INT64:
      return static_cast<std::int32_t>(
          std::clamp<std::int64_t>(element<std::int64_t>(bytes, index), INT32_MIN, INT32_MAX));
    case TensorType::INT32:
      return element<std::int32_t>(bytes, index);
    case TensorType::INT8:
      return element<std::int8_t>(bytes, index);
    default:
      return element<std::uint8_t>(bytes, index);
  }
}

// How many positions before one that has another scale, along `axis`.
std::size_t block_of(const Shape& shape, int axis) {
  std::size_t block = 1;
  for (int after = axis + 1; after < shape.rank; ++after)
    block *= static_cast<std::size_t>(shape[after]);
  return block;
}

std::vector<float> widened(const TfliteIntegers& numbers, const Shape& shape) {
  const std::size_t block = block_of(shape, numbers.scales.size() > 1 ? numbers.axis : -1);
  std::vector<float> values(numbers.values.size());
  for (std::size_t at = 0; at < values.size(); ++at) {
    const std::size_t channel = at / block % numbers.scales.size();
    const auto q = static_cast<std::int8_t>(numbers.values[at]);
    values[at] =
        numbers.scales[channel] * static_cast<float>(int{q} - numbers.zero_points[channel]);
  }
  return values;
}

}  // namespace

bool TfliteImporter::is_quantized(int index) const {
  const tflite::Tensor& tensor = source(index);
  return (tensor.type() == TensorType::INT8 || tensor.type() == TensorType::UINT8) &&
         tensor.quantization() != nullptr && tensor.quantization()->scale() != nullptr &&
         tensor.quantization()->scale()->size() > 0;
}

Int8Range TfliteImporter::range_of(int index) const {
  const tflite::Tensor& tensor = source(index);
  const auto refuse = [&](const std::string& why) {
    throw ConvertError("tensor '" + name_of(index) + "' " + why);
  };
  if (!is_quantized(index))
    refuse("is of type " + std::string(tflite::EnumNameTensorType(tensor.type())) +
           " and has no scale, where an int8 tensor with a scale is meant");
  const auto& scales = *tensor.quantization()->scale();
  const auto* zero_points = tensor.quantization()->zero_point();
  if (scales.size() != 1 || (zero_points != nullptr && zero_points->size() > 1))
    refuse("has a scale for each position of an axis, which only weights may have");
  const std::int64_t shift = tensor.type() == TensorType::UINT8 ? 128 : 0;
  const std::int64_t zero_point =
      zero_points != nullptr && zero_points->size() == 1 ? zero_points->Get(0) : 0;
  if (zero_point < INT8_MIN + shift || zero_point > INT8_MAX + shift)
    refuse("has the zero point " + std::to_string(zero_point) +
           ", which its type does not have; the file is damaged");
  const float scale = scales.Get(0);
  if (!(scale >= 0x1p-126F && scale <= 0x1p126F))
    refuse("has a scale that is not positive and finite; the file is damaged");
  return {scale, static_cast<std::int32_t>(zero_point - shift)};
}

bool TfliteImporter::is_constant(int index) const {
  return !file_.buffer(source(index).buffer()).empty();
}

void TfliteImporter::claim(std::size_t bytes) {
  claimed_ += bytes;
  // As many bytes as int8 takes as float32.
  if (claimed_ > 4 * file_.size() + kFreeBytes)
    throw DamagedFile(
        "the file's constants would take far more room than the file itself; it is damaged: "
        "export or copy it again");
}

std::optional<TfliteIntegers> TfliteImporter::integers(int index) const {
  const tflite::Tensor& tensor = source(index);
  if (!is_quantized(index) || !is_constant(index)) return std::nullopt;
  const auto refuse = [&](const std::string& why) {
    throw DamagedFile("constant '" + name_of(index) + "' " + why +
                      "; the file is damaged: export or copy it again");
  };
  const Shape shape = shape_of(index);
  const std::span<const std::byte> bytes = file_.buffer(tensor.buffer());
  if (bytes.size() != static_cast<std::size_t>(shape.elements()))
    refuse("of shape " + describe(shape) + " comes with " + std::to_string(bytes.size()) +
           " bytes, which do not fill it");
  const auto& scales = *tensor.quantization()->scale();
  const auto* zero_points = tensor.quantization()->zero_point();
  TfliteIntegers result;
  result.axis = tensor.quantization()->quantized_dimension();
  if (scales.size() > 1 && (result.axis < 0 || result.axis >= shape.rank ||
                            scales.size() != static_cast<std::size_t>(shape[result.axis])))
    refuse("has " + std::to_string(scales.size()) + " scales, which do not fit its shape " +
           describe(shape));
  const bool has_zeros = zero_points != nullptr && zero_points->size() > 0;
  if (has_zeros && zero_points->size() != 1 && zero_points->size() != scales.size())
    refuse("has another number of zero points than of scales");
  const std::int64_t shift = tensor.type() == TensorType::UINT8 ? 128 : 0;
  for (std::uint32_t at = 0; at < scales.size(); ++at) {
    const float scale = scales.Get(at);
    const std::int64_t zero_point =
        has_zeros ? zero_points->Get(zero_points->size() == 1 ? 0 : at) : 0;
    // A channel of nothing but zeros may have a scale of 0.
    if (!(scale >= 0 && scale <= 0x1p126F)) refuse("has a scale that is negative or not finite");
    if (zero_point < INT8_MIN + shift || zero_point > INT8_MAX + shift)
      refuse("has the zero point " + std::to_string(zero_point) + ", which its type does not have");
    result.scales.push_back(scale);
    result.zero_points.push_back(static_cast<std::int32_t>(zero_point - shift));
  }
  result.values.assign(bytes.begin(), bytes.end());
  if (shift != 0)
    for (std::byte& value : result.values) value ^= std::byte{0x80};
  return result;
}

TensorId TfliteImporter::read_constant(int index) {
  const tflite::Tensor& tensor = source(index);
  const Shape shape = shape_of(index);
  const auto count = static_cast<std::size_t>(shape.elements());
  if (integers(index)) {
    claim(count * sizeof(float));
    return graph_.add_late_floats(
        name_of(index), shape, [this, index, shape] { return widened(*integers(index), shape); });
  }
  const std::span<const std::byte> bytes = file_.buffer(tensor.buffer());
  const std::size_t size = element_size(tensor.type());
  if (size == 0)
    throw ConvertError("constant '" + name_of(index) + "' is of type " +
                       tflite::EnumNameTensorType(tensor.type()) +
                       ", which is not supported; export the model in float32, float16 or int8");
  if (bytes.size() != count * size)
    throw DamagedFile("constant '" + name_of(index) + "' of shape " + describe(shape) +
                      " comes with " + std::to_string(bytes.size()) +
                      " bytes, which do not fill it; the file is damaged: export or copy it again");
  claim(count * sizeof(float));
  if (tensor.type() == TensorType::FLOAT32)
    return graph_.add_late(name_of(index), DataType::kFloat32, shape,
                           [bytes] { return std::vector<std::byte>(bytes.begin(), bytes.end()); });
  if (tensor.type() == TensorType::FLOAT16)
    return graph_.add_late_floats(name_of(index), shape, [bytes, count] {
      std::vector<float> values(count);
      for (std::size_t at = 0; at < count; ++at)
        values[at] = math::widen_half(element<std::uint16_t>(bytes, at));
      return values;
    });
  const auto whole = [bytes, count, type = tensor.type()] {
    std::vector<std::byte> values(count * sizeof(std::int32_t));
    for (std::size_t at = 0; at < count; ++at) {
      const std::int32_t value = whole_number(type, bytes, at);
      std::memcpy(values.data() + at * sizeof value, &value, sizeof value);
    }
    return values;
  };
  return graph_.add_late(name_of(index), DataType::kInt32, shape, whole);
}

std::vector<TensorId> TfliteImporter::range_operands(int index, TensorId x) {
  const Int8Range range = range_of(index);
  const Shape one = make_shape({1});
  return {x, graph_.add_floats(name_of(index) + " scale", one, {range.scale}),
          graph_.add_integers(name_of(index) + " zero point", one, {range.zero_point})};
}

TensorId TfliteImporter::number(int index) {
  Value& value = values_[index];
  if (value.number != kAbsent) return value.number;
  if (value.int8 != kAbsent)
    return value.number = graph_.add_node(name_of(index), make_options(format::DequantizeT{}),
                                          range_operands(index, value.int8));
  if (source(index).sparsity() != nullptr)
    throw ConvertError("constant '" + name_of(index) +
                       "' is stored sparse, which is not supported; export the model without it");
  // Lists of no numbers have no bytes.
  if (!is_constant(index) && shape_of(index).elements() > 0)
    throw DamagedFile("tensor '" + name_of(index) +
                      "' is read before any operator computes it; the file is damaged, or cut at "
                      "the wrong place with --from");
  return value.number = read_constant(index);
}

TensorId TfliteImporter::int8(int index) {
  Value& value = values_[index];
  if (value.int8 != kAbsent) return value.int8;
  range_of(index);
  if (auto constant = integers(index)) {
    claim(constant->values.size());
    return value.int8 = graph_.add_constant(name_of(index), DataType::kInt8, shape_of(index),
                                            std::move(constant->values));
  }
  return value.int8 = quantize(index, number(index));
}

TensorId TfliteImporter::quantize(int index, TensorId number) {
  return graph_.add_node(name_of(index), make_options(format::QuantizeT{}),
                         range_operands(index, number));
}

void TfliteImporter::set(int index, TensorId id) {
  Value& value = values_[index];
  if (value.number != kAbsent || value.int8 != kAbsent || is_constant(index))
    throw DamagedFile("tensor '" + name_of(index) +
                      "' is computed twice; the file is damaged: export or copy it again");
  const DataType type = graph_.tensor(id).type;
  if (type == DataType::kInt8) {
    value.int8 = id;
  } else if (is_quantized(index)) {
    value.int8 = quantize(index, id);
  } else {
    const bool whole = source(index).type() != TensorType::FLOAT32;
    if (whole != (type == DataType::kInt32))
      throw ConvertError("tensor '" + name_of(index) + "' is of type " +
                         tflite::EnumNameTensorType(source(index).type()) +
                         ", which the operator that computes it does not give here");
    value.number = id;
  }
}

}  // namespace figment::converter
