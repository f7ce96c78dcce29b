// figment merge: one delta as the weighted mean of several, as rounds of federated learning take
// it (H. McMahan and others, "Communication-Efficient Learning of Deep Networks from Decentralized
// Data", 2017).
//
// Of low-rank factors the mean is not that of the products. So they stand beside each other, the
// left ones times their share: then the product of all is the mean of the products, and the ranks
// add up.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "converter/passes/edit.h"
#include "runtime/format/sha256.h"
#include "runtime/ops/operator.h"
#include "runtime/train/delta.h"
#include "targets/host/delta_file.h"
#include "targets/host/describe.h"
#include "targets/host/output_file.h"
#include "targets/host/verb.h"

namespace figment::host {
namespace {

using converter::counted;

struct Arguments {
  std::vector<std::string> deltas;
  std::string output;
  std::vector<double> weights;
};

using DeltaFiles = std::vector<std::unique_ptr<DeltaFile>>;
// The same tensor of every delta.
using Tensors = std::vector<const format::TensorDelta*>;

// What each delta counts for; 1 in sum.
std::vector<double> shares_of(const Arguments& arguments, const DeltaFiles& files) {
  std::vector<double> shares = arguments.weights;
  if (shares.empty())
    for (const auto& file : files)
      shares.push_back(static_cast<double>(file->delta.examples_seen()));
  if (shares.size() != files.size())
    throw VerbError(ExitCode::kUsage,
                    "--weights has " + counted(static_cast<int>(shares.size()), "number") +
                        " for " + counted(static_cast<int>(files.size()), "delta") +
                        "; give one for each");
  double sum = 0;
  for (const double share : shares) {
    if (!(share >= 0) || !std::isfinite(share))
      throw VerbError(ExitCode::kUsage, "--weights must be numbers of 0 or more");
    sum += share;
  }
  if (!(sum > 0) || !std::isfinite(sum))
    throw VerbError(ExitCode::kUsage,
                    arguments.weights.empty()
                        ? "no delta says how many examples it has seen; give --weights"
                        : "--weights must have a sum above 0");
  for (double& share : shares) share /= sum;
  return shares;
}

[[noreturn]] void refuse(const DeltaFile& first, const DeltaFile& other, const std::string& why) {
  throw VerbError(ExitCode::kBadArgument, other.name + " does not fit " + first.name + ": " + why);
}

const format::Section& section_for(const DeltaFile& first, const DeltaFile& other,
                                   const format::Section& like) {
  for (const format::Section* section : *other.delta.sections())
    if (train::same_hash(*section->base_hash(), *like.base_hash())) return *section;
  refuse(first, other,
         "it was not learned on the same file of the model '" +
             (like.base_name() == nullptr ? std::string() : like.base_name()->str()) + "'");
}

std::string name_of(const format::TensorDelta& tensor) {
  return "'" + (tensor.name() == nullptr ? std::string() : tensor.name()->str()) + "'";
}

void check_agreement(const DeltaFile& first, const DeltaFile& other, const format::TensorDelta& a,
                     const format::TensorDelta& b) {
  if (a.index() != b.index())
    refuse(first, other, "one has learned the tensor " + name_of(a) + ", the other " + name_of(b));
  if (!(train::shape_of(a) == train::shape_of(b)))
    refuse(first, other, "the tensor " + name_of(a) + " has another shape");
  if ((a.rank() > 0) != (b.rank() > 0))
    refuse(first, other, "the tensor " + name_of(a) + " is an adapter in one of them alone");
}

void mean_of_values(const Tensors& tensors, const std::vector<double>& shares,
                    std::vector<float>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < tensors.size(); ++k)
      sum += shares[k] * static_cast<double>(tensors[k]->values()->data()[i]);
    values[i] = static_cast<float>(sum);
  }
}

void join_factors(const Tensors& tensors, const std::vector<double>& shares,
                  format::TensorDeltaT& merged) {
  const train::MatrixExtents matrix = train::matrix_extents(train::shape_of(*tensors[0]));
  std::int64_t ranks = 0;
  for (const format::TensorDelta* tensor : tensors) ranks += tensor->rank();
  if (matrix.rows * ranks > kMaxElements || matrix.columns * ranks > kMaxElements)
    throw VerbError(ExitCode::kBadArgument, "the tensor " + name_of(*tensors[0]) +
                                                " would have too large a rank; merge fewer deltas");
  merged.rank = static_cast<std::int32_t>(ranks);
  merged.left.clear();
  merged.right.clear();
  for (std::int64_t row = 0; row < matrix.rows; ++row)
    for (std::size_t k = 0; k < tensors.size(); ++k) {
      const std::int64_t rank = tensors[k]->rank();
      const float* left = tensors[k]->left()->data() + row * rank;
      for (std::int64_t i = 0; i < rank; ++i)
        merged.left.push_back(static_cast<float>(shares[k] * static_cast<double>(left[i])));
    }
  for (const format::TensorDelta* tensor : tensors)
    merged.right.insert(merged.right.end(), tensor->right()->data(),
                        tensor->right()->data() + tensor->right()->size());
}

format::DeltaT merge(const DeltaFiles& files, const std::vector<double>& shares) {
  const DeltaFile& first = *files[0];
  format::DeltaT merged;
  first.delta.UnPackTo(&merged);
  merged.content_hash = std::make_unique<format::Hash>();
  merged.runtime_version = kVersion;
  for (std::size_t k = 1; k < files.size(); ++k) {
    const format::Delta& delta = files[k]->delta;
    if (delta.sections()->size() != first.delta.sections()->size())
      refuse(first, *files[k],
             "they were learned by " + std::to_string(first.delta.sections()->size()) + " and " +
                 std::to_string(delta.sections()->size()) + " models");
    merged.examples_seen += delta.examples_seen();
    merged.updates = std::max(merged.updates, delta.updates());
  }
  for (std::size_t s = 0; s < merged.sections.size(); ++s) {
    const auto& like = *first.delta.sections()->Get(static_cast<flatbuffers::uoffset_t>(s));
    std::vector<const format::Section*> sections;
    for (const auto& file : files) {
      sections.push_back(&section_for(first, *file, like));
      if (sections.back()->tensors()->size() != like.tensors()->size())
        refuse(first, *file,
               "they have learned " + counted(static_cast<int>(like.tensors()->size()), "tensor") +
                   " and " +
                   counted(static_cast<int>(sections.back()->tensors()->size()), "tensor"));
    }
    for (std::size_t t = 0; t < merged.sections[s]->tensors.size(); ++t) {
      Tensors tensors;
      for (std::size_t k = 0; k < files.size(); ++k) {
        tensors.push_back(sections[k]->tensors()->Get(static_cast<flatbuffers::uoffset_t>(t)));
        check_agreement(first, *files[k], *tensors[0], *tensors[k]);
      }
      format::TensorDeltaT& tensor = *merged.sections[s]->tensors[t];
      if (tensor.rank > 0)
        join_factors(tensors, shares, tensor);
      else
        mean_of_values(tensors, shares, tensor.values);
    }
  }
  return merged;
}

std::vector<std::byte> to_bytes(const format::DeltaT& merged) {
  // FlatBuffers count with 32 signed bits; what is left is for all but the numbers.
  constexpr std::size_t kMostNumbers = (0x7fffffff - (std::size_t{1} << 24)) / sizeof(float);
  std::size_t numbers = 0;
  for (const auto& section : merged.sections)
    for (const auto& tensor : section->tensors)
      numbers += tensor->values.size() + tensor->left.size() + tensor->right.size();
  if (numbers > kMostNumbers)
    throw VerbError(ExitCode::kBadArgument,
                    "the merged delta would take more than 2 GB, the most that one can hold; merge "
                    "fewer");
  flatbuffers::FlatBufferBuilder builder;
  format::FinishDeltaBuffer(builder, format::Delta::Pack(builder, &merged));
  std::vector<std::byte> bytes(builder.GetSize());
  std::memcpy(bytes.data(), builder.GetBufferPointer(), bytes.size());
  auto* hash = const_cast<format::Hash*>(format::GetDelta(bytes.data())->content_hash());
  const format::Digest digest = format::hash_around(bytes, hash);
  std::memcpy(hash, digest.data(), digest.size());
  return bytes;
}

ExitCode merge_files(const Arguments& arguments) {
  if (arguments.deltas.size() < 2)
    throw VerbError(ExitCode::kUsage, "one delta alone needs no merging; give two or more");
  DeltaFiles files;
  for (const std::string& path : arguments.deltas)
    files.push_back(std::make_unique<DeltaFile>(path));
  const std::vector<double> shares = shares_of(arguments, files);
  OutputFile output(arguments.output);
  const format::DeltaT merged = merge(files, shares);
  output.commit(to_bytes(merged));
  if (arguments.output == "-") return ExitCode::kSuccess;
  std::printf("%s: the mean of %s, learned from %s examples\n", arguments.output.c_str(),
              counted(static_cast<int>(files.size()), "delta").c_str(),
              with_commas(merged.examples_seen).c_str());
  for (std::size_t k = 0; k < files.size(); ++k)
    std::printf("  %5.1f %%  %s\n", 100 * shares[k], files[k]->name.c_str());
  return ExitCode::kSuccess;
}

std::function<ExitCode()> declare(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  app.add_option("deltas", arguments->deltas,
                 "Two or more .delta files, learned on the same models")
      ->required();
  app.add_option("-o,--output", arguments->output, "The merged delta to write")->required();
  app.add_option("--weights", arguments->weights,
                 "What each counts for, as 3,1 (default: how many examples it has seen)")
      ->delimiter(',');
  return [arguments] { return merge_files(*arguments); };
}

}  // namespace

const Verb kMerge{"merge", "average what was learned in several places",
                  "figment merge kitchen.delta garage.delta --weights 3,1 -o both.delta", declare};

}  // namespace figment::host
