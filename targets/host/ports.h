// A model's inputs and outputs as its source file had them: names and the order of axes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "figment/figment.h"
#include "targets/host/npy.h"
#include "targets/host/picture.h"

namespace figment::host {

std::vector<Port> input_ports(const Model& model);
std::vector<Port> output_ports(const Model& model);
std::vector<std::string> names_of(const std::vector<Port>& ports);

// "float32".
std::string type_name(DataType type);

// The port's shape in the source's order of axes, at `batch`.
std::vector<std::int64_t> source_shape(const Port& port, int batch);

// "1x3x64x64"; with `open_batch` the extent at `batch_axis` is written N.
std::string describe_shape(const std::vector<std::int64_t>& shape);
std::string describe_shape(const Shape& shape, int open_batch_axis = -1);
// As describe_shape, in the source's order.
std::string describe_source_shape(const Port& port, bool any_batch);

// The batch that `array` (source's order) asks of the port: its extent along the batch axis over
// the file's. 1 when no axis grows, or when the shapes cannot be compared (store_array then says
// what is wrong).
int batch_of(const Port& port, const std::vector<std::int64_t>& shape);

// For every element of `shape`, the port's in the source's order, row by row: its offset in ours.
std::vector<std::size_t> source_offsets(const Port& port, const std::vector<std::int64_t>& shape);

// Puts an array that is in the source's order into `tensor`. Throws VerbError (kBadArgument) when
// its shape is not the port's at the session's batch; `name` is the file's.
void store_array(const Array& array, const Port& port, int batch, const Tensor& tensor,
                 const std::string& name);

// A tensor's values in the source's order.
Array load_array(const Tensor& tensor, const Port& port, int batch);

// Puts one picture into an input that takes pictures, from black = low to white = high. Throws
// VerbError (kBadArgument) when the size differs.
void store_picture(const Picture& picture, float low, float high, const Port& port,
                   const Tensor& tensor, const std::string& name);

// Every picture in `tensor`, read as `reading` says; grey ones have one channel.
std::vector<Picture> load_pictures(const Tensor& tensor, const ImageReading& reading);

}  // namespace figment::host
