// Reads the arrays of an ONNX file: raw, typed, or in a file beside it.
#pragma once

#include <onnx/onnx.pb.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "figment/figment.h"

namespace figment::converter {

// Values in the types the graph holds: every floating type becomes float32; integers and booleans
// become int32, saturated.
struct OnnxArray {
  DataType type = DataType::kFloat32;
  Shape shape;
  std::vector<std::byte> bytes;
  int source_type = 0;  // onnx::TensorProto_DataType
};

// "FLOAT16".
std::string onnx_type_name(int type);

// The type in which the graph holds numbers of an ONNX type. Throws ConvertError for strings and
// complex numbers; `what` begins the sentence ("input 'x'").
DataType graph_type(int onnx_type, const std::string& what);

// The array without its values, which were seen to fill its shape. Throws as read_onnx_array does.
OnnxArray check_onnx_array(const onnx::TensorProto& proto, const std::filesystem::path& folder);

// The array's values. `folder` is where files beside the model are looked for. Throws ConvertError
// when the data is missing, short, or lies outside the folder.
OnnxArray read_onnx_array(const onnx::TensorProto& proto, const std::filesystem::path& folder);

}  // namespace figment::converter
