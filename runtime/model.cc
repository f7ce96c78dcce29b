// The border: Model::open verifies foreign bytes once, so that nothing after it has to.
#include "runtime/model_view.h"
#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/xnnpack/allocator.h"
#include "runtime/xnnpack/packed_weights.h"
#endif

namespace figment {
namespace {

// A tensor in its file, checked by itself.
Status check_tensor(const format::Tensor& tensor, int index) {
  if (tensor.type() > format::DataType::UInt8)
    return unsupported(
        {"tensor ", index,
         " holds numbers of a type that this runtime does not know; update Figment"});
  const auto* shape = tensor.shape();
  const int rank = shape == nullptr ? 0 : static_cast<int>(shape->size());
  if (rank > kMaxRank)
    return bad_file({"tensor ", index, " has ", rank, " axes, more than ", kMaxRank});
  Shape extents;
  extents.rank = rank;
  std::int64_t elements = 1;
  for (int axis = 0; axis < rank; ++axis) {
    const std::int32_t extent = shape->Get(static_cast<flatbuffers::uoffset_t>(axis));
    extents[axis] = extent;
    if (extent <= 0)
      return bad_file(
          {"tensor ", index, " has an extent of ", extent, "; every extent must be positive"});
    elements *= extent;
    if (elements > kMaxElements)
      return bad_file({"tensor ", index, " has more than ", kMaxElements, " elements"});
  }
  const DataType type = static_cast<DataType>(tensor.type());
  const char* wrong = nullptr;
  if (tensor.batch_axis() < -1 || tensor.batch_axis() >= rank)
    wrong = " grows along an axis that it does not have";
  bool sound_scales = true;
  if (tensor.scales() != nullptr) {
    if (type != DataType::kInt8 || tensor.data() == nullptr)
      wrong = " has scales but is no int8 constant";
    for (const float scale : *tensor.scales())
      sound_scales &= scale > 0 && scale <= 3.4e38F;  // a NaN is not
  }
  if (wrong != nullptr) return bad_file({"tensor ", index, wrong});
  if (tensor.data() == nullptr) return {};
  if (tensor.data()->size() != constant_bytes(type, extents))
    return bad_file({"constant ", index, " has ", std::size_t{tensor.data()->size()},
                     " bytes, which its shape does not"});
  if (tensor.batch_axis() != -1) wrong = " claims to grow with the batch";
  if (reinterpret_cast<std::uintptr_t>(tensor.data()->data()) % kArenaAlignment != 0) {
    wrong = " is not aligned to 64 bytes";
  } else if (type == DataType::kInt4) {
    const auto* scales = reinterpret_cast<const std::uint16_t*>(tensor.data()->data());
    for (std::int64_t i = 0; i < math::int4_scale_count(extents); ++i)
      sound_scales &= math::is_int4_scale(scales[i]);
  }
  if (!sound_scales) wrong = " has a scale that is no positive number";
  return wrong == nullptr ? Status() : bad_file({"constant ", index, wrong});
}

// Whether an operator's operands exist and were computed before it.
Status check_operands(const format::Model& root, const format::Operator& node, int node_index) {
  const int tensors = static_cast<int>(root.tensors()->size());
  const int kind = static_cast<int>(node.options_type());
  if (kind <= 0 || kind >= ops::kOperatorCount)
    return unsupported({"operator number ", kind, " is newer than this runtime; update Figment"});
  const ops::OperatorEntry& entry = entry_of(node);
  if (entry.room == nullptr)
    return unsupported({entry.kind, " was left out of this build; add it to FIGMENT_OPS"});
  if (node.options() == nullptr) return bad_file({entry.kind, " has no options"});
  if (node.outputs() == nullptr || node.outputs()->size() != kMaxOutputs)
    return bad_file({entry.kind, " must have one output"});
  const int output = node.outputs()->Get(0);
  if (output < 0 || output >= tensors)
    return bad_file({entry.kind, " writes tensor ", output, " that does not exist"});
  const std::size_t inputs = node.inputs() == nullptr ? 0 : node.inputs()->size();
  if (inputs > kMaxInputs)
    return bad_file({entry.kind, " has ", inputs, " inputs, more than ", kMaxInputs});
  for (std::size_t i = 0; i < inputs; ++i) {
    const int input = node.inputs()->Get(static_cast<flatbuffers::uoffset_t>(i));
    if (input < -1 || input >= tensors)
      return bad_file({entry.kind, " reads tensor ", input, " that does not exist"});
  }
  if (node.activation() != nullptr &&
      ops::kOperators[static_cast<int>(format::OperatorOptions::Unary)].room == nullptr)
    return unsupported(
        {"Unary was left out of this build, but operator ", node_index, " has an activation"});
  return {};
}

// Whether every tensor that is read has been written before: as a constant, a model input, or by an
// earlier operator. The format numbers the outputs of operators in the order in which they run, so
// who wrote one is a binary search.
Status check_sources(const format::Model& root) {
  const auto& nodes = *root.operators();
  const auto data_of = [&](int tensor) {
    return root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(tensor))->data();
  };
  const auto is_input = [&](int tensor) {
    for (const format::Port* port : *root.inputs())
      if (port->tensor() == tensor) return true;
    return false;
  };
  // Whether one of the first `count` operators writes `tensor`.
  const auto written = [&](int tensor, flatbuffers::uoffset_t count) {
    flatbuffers::uoffset_t low = 0;
    while (low < count) {
      const flatbuffers::uoffset_t middle = low + (count - low) / 2;
      const int output = nodes.Get(middle)->outputs()->Get(0);
      if (output == tensor) return true;
      if (output < tensor) {
        low = middle + 1;
      } else {
        count = middle;
      }
    }
    return false;
  };

  for (const format::Port* port : *root.inputs())
    if (data_of(port->tensor()) != nullptr)
      return bad_file({"the model's input ", text(port->name()), " is a constant"});
  int last_output = -1;
  for (flatbuffers::uoffset_t i = 0; i < nodes.size(); ++i) {
    const int output = nodes.Get(i)->outputs()->Get(0);
    Status status;
    if (output <= last_output)
      status = bad_file({"tensor ", output, " is written out of order; convert the model again"});
    if (data_of(output) != nullptr || is_input(output))
      status = bad_file({"tensor ", output, " is written more than once"});
    last_output = output;
    const flatbuffers::uoffset_t inputs =
        nodes.Get(i)->inputs() == nullptr ? 0 : nodes.Get(i)->inputs()->size();
    for (flatbuffers::uoffset_t k = 0; status.ok() && k < inputs; ++k) {
      const int input = nodes.Get(i)->inputs()->Get(k);
      if (input >= 0 && data_of(input) == nullptr && !is_input(input) && !written(input, i))
        status = bad_file({"an operator reads tensor ", input, " before anything has written it"});
    }
    if (!status.ok()) {
      status.operator_index = static_cast<std::int32_t>(i);
      return status;
    }
  }
  for (const format::Port* port : *root.outputs())
    if (data_of(port->tensor()) == nullptr && !is_input(port->tensor()) &&
        !written(port->tensor(), nodes.size()))
      return bad_file({"no operator computes the model's output ", text(port->name())});
  return {};
}

Status check_ports(const format::Model& root,
                   const flatbuffers::Vector<flatbuffers::Offset<format::Port>>& ports) {
  const auto wrong_with = [&](const format::Port& port) -> const char* {
    if (port.tensor() < 0 || port.tensor() >= static_cast<int>(root.tensors()->size()))
      return " names a tensor that does not exist";
    const format::Tensor& tensor =
        *root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(port.tensor()));
    if (tensor.type() == format::DataType::Int4)
      return " is int4, which is for the weights of dense layers alone";
    if (port.source_axes() == nullptr) return nullptr;
    const auto* shape = tensor.shape();
    const std::size_t rank = shape == nullptr ? 0 : shape->size();
    unsigned seen = 0;
    for (const std::uint8_t axis : *port.source_axes())
      if (axis < rank) seen |= 1u << axis;
    return port.source_axes()->size() != rank || seen != (1u << rank) - 1
               ? " has source axes that are no permutation"
               : nullptr;
  };
  for (const format::Port* port : ports)
    if (const char* wrong = wrong_with(*port); wrong != nullptr)
      return bad_file({"input or output ", text(port->name()), wrong});
  return {};
}

Port port_view(const format::Model& root, const format::Port& port) {
  const format::Tensor& tensor =
      *root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(port.tensor()));
  const Tensor view = tensor_view(root, port.tensor(), 1);
  Port result{text(port.name()), view.type, view.shape, tensor.batch_axis(), {}};
  for (int axis = 0; axis < view.shape.rank && axis < kMaxRank; ++axis)
    result.source_axes[axis] =
        port.source_axes() == nullptr
            ? static_cast<std::uint8_t>(axis)
            : port.source_axes()->Get(static_cast<flatbuffers::uoffset_t>(axis));
  return result;
}

}  // namespace

Tensor tensor_view(const format::Model& root, int index, int batch) {
  Tensor view;
  if (index < 0) {
    view.absent = true;
    return view;
  }
  const format::Tensor& tensor = *root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
  view.type = static_cast<DataType>(tensor.type());
  view.shape.rank =
      tensor.shape() == nullptr ? 0 : static_cast<std::int32_t>(tensor.shape()->size());
  for (int axis = 0; axis < view.shape.rank; ++axis) {
    view.shape[axis] = tensor.shape()->Get(static_cast<flatbuffers::uoffset_t>(axis));
    if (axis == tensor.batch_axis()) view.shape[axis] *= batch;
  }
  if (tensor.data() != nullptr) {
    view.constant = true;
    // Constants are never written: rooms take outputs from the arena alone.
    view.data = const_cast<std::uint8_t*>(tensor.data()->data());
    if (tensor.scales() != nullptr)
      view.scales = {tensor.scales()->data(), tensor.scales()->size()};
  }
  return view;
}

void view_operands(const format::Model& root, const format::Operator& node, int batch,
                   Tensor* inputs, Tensor* output) {
  const flatbuffers::uoffset_t count = node.inputs() == nullptr ? 0 : node.inputs()->size();
  for (flatbuffers::uoffset_t i = 0; i < count; ++i)
    inputs[i] = tensor_view(root, node.inputs()->Get(i), batch);
  *output = tensor_view(root, node.outputs()->Get(0), batch);
}

Status check_shapes(const format::Model& root, int batch) {
  Tensor inputs[kMaxInputs];
  int index = 0;
  for (const format::Operator* node : *root.operators()) {
    Tensor declared;
    view_operands(root, *node, batch, inputs, &declared);
    Tensor result = declared;
    const Operation operation{
        .options = node->options(),
        .inputs = {inputs, node->inputs() == nullptr ? 0 : node->inputs()->size()},
        .outputs = {&declared, 1}};
    Status status = ops::check_operation(entry_of(*node), operation, result);
    if (status.ok() &&
        (result.shape.rank != declared.shape.rank || !(result.shape == declared.shape)))
      status = bad_file({entry_of(*node).kind, " gives shape ", result.shape,
                         " but the file declares ", declared.shape});
    if (status.ok() && result.type != declared.type)
      status =
          bad_file({entry_of(*node).kind, " gives another type of numbers than the file declares"});
    if (status.ok() && node->activation() != nullptr) {
      const Operation activation{
          .options = node->activation(), .inputs = {&declared, 1}, .outputs = {&declared, 1}};
      status = ops::check_operation(
          ops::kOperators[static_cast<int>(format::OperatorOptions::Unary)], activation, result);
    }
    if (!status.ok()) {
      status.operator_index = index;
      return status;
    }
    ++index;
  }
  return {};
}

#ifdef FIGMENT_WITH_XNNPACK
namespace {

// That the packed weights lie in the file; the portable backend does not read them.
Status check_packed(const format::Model& root, std::size_t file_bytes) {
  const format::PackedWeights* packed = root.packed();
  if (packed == nullptr) return {};
  const auto* starts = packed->starts();
  bool sound = packed->offset() % kPackedAlignment == 0 && packed->offset() <= file_bytes &&
               packed->size() <= file_bytes - packed->offset() && starts != nullptr &&
               starts->size() == root.operators()->size() + 1;
  std::uint64_t before = 0;
  for (flatbuffers::uoffset_t i = 0; sound && i < starts->size(); ++i) {
    const std::uint64_t start = starts->Get(i);
    sound = start >= before && start <= packed->size() && start % kArenaAlignment == 0;
    before = start;
  }
  if (sound) return {};
  return bad_file({"the packed weights do not lie in the file; tune or convert it again"});
}

}  // namespace
#endif

Tuning Model::tuning() const {
  const format::PackedWeights* packed = root_->packed();
  if (packed == nullptr) return Tuning::kNone;
#ifdef FIGMENT_WITH_XNNPACK
  const xnnpack::Fingerprint here;
  if (figment::text(packed->fingerprint()) == here.text()) return Tuning::kHere;
#endif
  return Tuning::kElsewhere;
}

Result<Model> Model::open(std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (bytes.size() < 16 || !format::ModelBufferHasIdentifier(data))
    return bad_file(
        {"this is no .fgm file: it does not carry the mark FGM1; make one with figment convert"});
  if (reinterpret_cast<std::uintptr_t>(data) % kArenaAlignment != 0)
    return bad_argument(
        {"the model's bytes must begin at a multiple of 64, as a mapped file does"});
  // Trees in the format are at most a few tables deep; a file's tensors and operators are bounded
  // by its size.
  flatbuffers::Verifier verifier(data, bytes.size(), 16, 4'000'000);
  if (!format::VerifyModelBuffer(verifier))
    return bad_file(
        {"the file is damaged or cut short (", bytes.size(), " bytes); fetch or convert it again"});
  const format::Model& root = *format::GetModel(data);
  if (root.version() > kFormatVersion)
    return unsupported({"the file has format version ", static_cast<std::int64_t>(root.version()),
                        "; this runtime reads up to ", static_cast<std::int64_t>(kFormatVersion),
                        "; update Figment"});
  if (root.tensors() == nullptr || root.operators() == nullptr || root.inputs() == nullptr ||
      root.outputs() == nullptr || root.outputs()->size() == 0)
    return bad_file({"the file lacks its tensors, operators, inputs or outputs; convert it again"});

  for (flatbuffers::uoffset_t i = 0; i < root.tensors()->size(); ++i)
    FIG_TRY(check_tensor(*root.tensors()->Get(i), static_cast<int>(i)));
  FIG_TRY(check_ports(root, *root.inputs()));
  FIG_TRY(check_ports(root, *root.outputs()));
  for (flatbuffers::uoffset_t i = 0; i < root.operators()->size(); ++i) {
    Status status = check_operands(root, *root.operators()->Get(i), static_cast<int>(i));
    if (!status.ok()) {
      status.operator_index = static_cast<std::int32_t>(i);
      return status;
    }
  }
  FIG_TRY(check_sources(root));
  FIG_TRY(check_shapes(root, 1));
  FIG_TRY(check_facts(root));
#ifdef FIGMENT_WITH_XNNPACK
  FIG_TRY(check_packed(root, bytes.size()));
  FIG_TRY(xnnpack::initialize());
#endif
  return Model(bytes, &root);
}

std::string_view Model::name() const { return figment::text(root_->name()); }
ModelKind Model::kind() const { return static_cast<ModelKind>(root_->kind()); }
int Model::input_count() const { return static_cast<int>(root_->inputs()->size()); }
int Model::output_count() const { return static_cast<int>(root_->outputs()->size()); }
bool Model::any_batch() const { return root_->any_batch(); }
int Model::operator_count() const { return static_cast<int>(root_->operators()->size()); }

Port Model::input(int index) const {
  return port_view(*root_, *root_->inputs()->Get(static_cast<flatbuffers::uoffset_t>(index)));
}

Port Model::output(int index) const {
  return port_view(*root_, *root_->outputs()->Get(static_cast<flatbuffers::uoffset_t>(index)));
}

std::size_t Model::weight_bytes() const {
  std::size_t sum = 0;
  for (const format::Tensor* tensor : *root_->tensors())
    if (tensor->data() != nullptr)
      sum += tensor->data()->size() +
             (tensor->scales() == nullptr ? 0 : tensor->scales()->size() * sizeof(float));
  return sum;
}

}  // namespace figment
