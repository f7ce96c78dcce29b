// One case in the layout of ONNX's backend test suite: a folder with model.onnx and
// test_data_set_N/{input,output}_K.pb.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace figment::conformance {

enum class Side {
  kPassed,   // converted, and every output agrees on both backends
  kFailed,   // anything else: a wrong number, a crash, a file that is no case
  kRefused,  // not converted, with a sentence that says why
};
std::string_view name_of(Side side);

struct Outcome {
  Side side = Side::kFailed;
  std::string reason;  // of a case that did not pass
  // Inputs that had to be known when the model was converted (shapes, axes, scales): they were
  // made initializers with the case's values, as an exporter writes them.
  std::vector<std::string> bound;
};

// What a case's model is made of, for the table.
struct CaseFacts {
  std::vector<std::string> operators;    // each kind once, in order of first use
  std::vector<std::string> input_types;  // of each input, as ONNX spells them: "FLOAT"
};

// Every folder under `root` that holds a model.onnx and data, in order of their paths.
std::vector<std::filesystem::path> find_cases(const std::filesystem::path& root);

CaseFacts read_facts(const std::filesystem::path& folder);

// Converts the model and runs every data set on both backends. An output agrees when it has the
// declared shape and |a - b| <= 1e-7 + 1e-3 |b| at every element, which is what ONNX's own runner
// asks of a backend. Never throws. `scratch` is a folder for files of its own.
Outcome run_case(const std::filesystem::path& folder, const std::filesystem::path& scratch);

// The same in a process of its own, so that a case that crashes or hangs is one that failed.
Outcome run_case_apart(const std::filesystem::path& folder);

}  // namespace figment::conformance
