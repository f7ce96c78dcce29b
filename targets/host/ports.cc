// Permutes axes between the source's order and the runtime's.
#include "targets/host/ports.h"

#include <cmath>
#include <cstring>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

[[noreturn]] void refuse_type(const Port& port) {
  throw VerbError(ExitCode::kUnsupported, "'" + std::string(port.name) + "' is of type " +
                                              type_name(port.type) +
                                              ", which has no .npy form yet");
}

}  // namespace

std::vector<Port> input_ports(const Model& model) {
  std::vector<Port> ports;
  ports.reserve(static_cast<std::size_t>(model.input_count()));
  for (int index = 0; index < model.input_count(); ++index) ports.push_back(model.input(index));
  return ports;
}

std::vector<Port> output_ports(const Model& model) {
  std::vector<Port> ports;
  ports.reserve(static_cast<std::size_t>(model.output_count()));
  for (int index = 0; index < model.output_count(); ++index) ports.push_back(model.output(index));
  return ports;
}

std::vector<std::string> names_of(const std::vector<Port>& ports) {
  std::vector<std::string> names;
  names.reserve(ports.size());
  for (const Port& port : ports) names.emplace_back(port.name);
  return names;
}

std::string type_name(DataType type) {
  switch (type) {
    case DataType::kFloat32:
      return "float32";
    case DataType::kFloat16:
      return "float16";
    case DataType::kInt32:
      return "int32";
    case DataType::kInt8:
      return "int8";
    case DataType::kInt4:
      return "int4";
    case DataType::kUInt8:
      return "uint8";
  }
  return "unknown";
}

std::vector<std::int64_t> source_shape(const Port& port, int batch) {
  std::vector<std::int64_t> shape;
  for (int axis = 0; axis < port.shape.rank; ++axis) {
    const int ours = port.source_axes[axis];
    shape.push_back(std::int64_t{port.shape[ours]} * (ours == port.batch_axis ? batch : 1));
  }
  return shape;
}

std::string describe_shape(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t extent : shape)
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

std::string describe_shape(const Shape& shape, int open_batch_axis) {
  std::string text;
  for (int axis = 0; axis < shape.rank; ++axis) {
    if (axis > 0) text += 'x';
    if (axis != open_batch_axis) {
      text += std::to_string(shape[axis]);
    } else {
      text += shape[axis] == 1 ? "N" : std::to_string(shape[axis]) + "N";
    }
  }
  return text.empty() ? "scalar" : text;
}

std::string describe_source_shape(const Port& port, bool any_batch) {
  Shape shape{{}, port.shape.rank};
  int open_axis = -1;
  for (int axis = 0; axis < shape.rank; ++axis) {
    shape[axis] = port.shape[port.source_axes[axis]];
    if (any_batch && port.source_axes[axis] == port.batch_axis) open_axis = axis;
  }
  return describe_shape(shape, open_axis);
}

int batch_of(const Port& port, const std::vector<std::int64_t>& shape) {
  if (port.batch_axis < 0 || shape.size() != static_cast<std::size_t>(port.shape.rank)) return 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (port.source_axes[axis] != port.batch_axis) continue;
    const std::int64_t at_one = port.shape[port.batch_axis];
    if (shape[axis] > 0 && shape[axis] % at_one == 0 && shape[axis] / at_one <= INT32_MAX)
      return static_cast<int>(shape[axis] / at_one);
  }
  return 1;
}

std::vector<std::size_t> source_offsets(const Port& port, const std::vector<std::int64_t>& shape) {
  const std::size_t rank = shape.size();
  std::vector<std::int64_t> our_extents(rank), our_strides(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) our_extents[port.source_axes[axis]] = shape[axis];
  std::int64_t count = 1;
  for (std::size_t axis = rank; axis-- > 0;) {
    our_strides[axis] = count;
    count *= our_extents[axis];
  }
  std::vector<std::size_t> offsets(static_cast<std::size_t>(count));
  std::vector<std::int64_t> index(rank, 0);
  for (std::size_t& offset : offsets) {
    std::int64_t sum = 0;
    for (std::size_t axis = 0; axis < rank; ++axis)
      sum += index[axis] * our_strides[port.source_axes[axis]];
    offset = static_cast<std::size_t>(sum);
    for (std::size_t axis = rank; axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return offsets;
}

void store_array(const Array& array, const Port& port, int batch, const Tensor& tensor,
                 const std::string& name) {
  const std::vector<std::int64_t> shape = source_shape(port, batch);
  if (array.shape != shape)
    throw VerbError(ExitCode::kBadArgument, name + " has shape " + describe_shape(array.shape) +
                                                " but input '" + std::string(port.name) +
                                                "' takes " + describe_shape(shape));
  const std::vector<std::size_t> offsets = source_offsets(port, shape);
  for (std::size_t index = 0; index < offsets.size(); ++index) {
    const double value = array.values[index];
    if (tensor.type == DataType::kFloat32) {
      tensor.floats()[offsets[index]] = static_cast<float>(value);
    } else if (tensor.type == DataType::kInt32) {
      if (value != std::floor(value) || std::abs(value) > 2147483647.0)
        throw VerbError(ExitCode::kBadArgument,
                        name + " holds a value that is no 32-bit integer, which input '" +
                            std::string(port.name) + "' takes");
      tensor.integers()[offsets[index]] = static_cast<std::int32_t>(value);
    } else {
      refuse_type(port);
    }
  }
}

Array load_array(const Tensor& tensor, const Port& port, int batch) {
  Array array{source_shape(port, batch), {}};
  const std::vector<std::size_t> offsets = source_offsets(port, array.shape);
  array.values.reserve(offsets.size());
  for (const std::size_t offset : offsets) {
    if (tensor.type == DataType::kFloat32) {
      array.values.push_back(tensor.floats()[offset]);
    } else if (tensor.type == DataType::kInt32) {
      array.values.push_back(tensor.integers()[offset]);
    } else {
      refuse_type(port);
    }
  }
  return array;
}

void store_picture(const Picture& picture, float low, float high, const Port& port,
                   const Tensor& tensor, const std::string& name) {
  const auto refuse = [&](const std::string& takes) {
    return VerbError(ExitCode::kBadArgument,
                     name + " is " + std::to_string(picture.width) + " pixels wide and " +
                         std::to_string(picture.height) + " high, but input '" +
                         std::string(port.name) + "' takes " + takes);
  };
  const Shape& shape = tensor.shape;
  const int pixels = picture.width * picture.height;
  int channels = 0;
  if (tensor.type == DataType::kFloat32 && shape.rank == 4 && shape[0] == 1 &&
      (shape[3] == 1 || shape[3] == 3)) {
    if (shape[1] != picture.height || shape[2] != picture.width)
      throw refuse(std::to_string(shape[2]) + " by " + std::to_string(shape[1]));
    channels = shape[3];
  } else if (tensor.type == DataType::kFloat32 && shape.rank == 2 && shape[0] == 1) {
    if (shape[1] != pixels && shape[1] != 3 * pixels)
      throw refuse(std::to_string(shape[1]) + " numbers");
    channels = shape[1] / pixels;
  } else {
    throw VerbError(ExitCode::kBadArgument, "input '" + std::string(port.name) +
                                                "' takes no picture but shape " +
                                                describe_shape(shape));
  }
  const Picture suited = with_channels(picture, channels);
  for (std::size_t index = 0; index < suited.pixels.size(); ++index)
    tensor.floats()[index] = low + (high - low) * static_cast<float>(suited.pixels[index]) / 255.0F;
}

std::vector<Picture> load_pictures(const Tensor& tensor, const ImageReading& reading) {
  const std::int64_t elements = std::int64_t{reading.height} * reading.width * reading.channels;
  if (elements == 0 || tensor.elements() % elements != 0)
    throw VerbError(ExitCode::kBadArgument,
                    "an output of shape " + describe_shape(tensor.shape) +
                        " cannot be read as pictures of " + std::to_string(reading.height) + "x" +
                        std::to_string(reading.width) + "x" + std::to_string(reading.channels));
  std::vector<Picture> pictures;
  for (std::int64_t index = 0; index < tensor.elements() / elements; ++index) {
    Picture picture{reading.width, reading.height, 3, {}};
    picture.pixels.resize(static_cast<std::size_t>(reading.width) *
                          static_cast<std::size_t>(reading.height) * 3);
    require(to_rgb8(tensor, reading, picture.pixels, static_cast<int>(index)));
    pictures.push_back(reading.channels == 1 ? with_channels(picture, 1) : std::move(picture));
  }
  return pictures;
}

}  // namespace figment::host
