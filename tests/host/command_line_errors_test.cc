// What users do wrong: each case has its exit code and one sentence, and leaves no file behind.
#include <doctest/doctest.h>
#include <onnx/onnx.pb.h>

#include <filesystem>
#include <random>

#include "targets/host/npy.h"
#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"

namespace figment::testing {
namespace {

// Checks the code, and that standard error is one line that begins with `figment VERB: ` and holds
// `words`.
void check_refused(const std::string& line, int code, const std::string& words = {},
                   const std::string& input = {}) {
  const CommandResult result = run_figment(line, input);
  CAPTURE(line);
  CAPTURE(result.error);
  CHECK(result.code == code);
  CHECK(result.output.empty());
  const std::string verb = line.substr(0, line.find(' '));
  CHECK(result.error.find("figment " + verb + ": ") == 0);
  CHECK(result.error.find('\n') == result.error.size() - 1);
  CHECK(result.error.find(words) != std::string::npos);
}

std::string random_bytes(std::size_t count) {
  std::minstd_rand random(11);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() >> 8 & 255);
  return bytes;
}

void write_array(const std::string& path, const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  const auto bytes = host::write_npy(
      shape, std::vector<double>(static_cast<std::size_t>(count), 0.5), DataType::kFloat32);
  write_text(path, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

const std::string kSource = source_folder() + "models/digits_vae/decoder.onnx";

// A converted model beside the files that a case makes; `files` counts what was there before.
struct WithModel {
  WithModel() {
    REQUIRE(run_figment("convert " + kSource + " --image 28x28x1 -o " + model).code == 0);
  }
  ScratchFolder folder;
  std::string model = folder / "model.fgm";
};

}  // namespace

TEST_CASE("words that are no command") {
  CHECK(run_figment("").code == 2);
  check_refused("paint", 2, "no such verb");
  check_refused("sample", 2, "model");
  check_refused("sample x.fgm -o y.png --count 0", 2, "--count");
  check_refused("sample x.fgm -o y.png --count many", 2);
  check_refused("bench x.fgm --threads -1", 2, "--threads");
  check_refused("show x.fgm --colour", 2, "--colour");
  check_refused("show x.fgm --profile p.json", 2, "--svg");
  check_refused("convert a.onnx -o b.fgm --weights f8", 2, "f32, f16");
  check_refused("convert a.onnx -o b.fgm --image 28x28", 2, "--image");
  check_refused("convert a.onnx -o b.fgm --range 1..0", 2, "--range");
  check_refused("convert a.onnx -o b.fgm --input x=1xax3", 2, "1x3x64x64");
}

TEST_CASE("convert refuses what is no model, and leaves no file") {
  const ScratchFolder folder;
  const std::string source = read_text(kSource);
  const std::string out = folder / "out.fgm";
  check_refused("convert " + (folder / "missing.onnx") + " -o " + out, 8, "missing.onnx");
  check_refused("convert " + folder.path() + " -o " + out, 8);
  for (const std::string& bytes :
       {std::string(), source.substr(0, 20), source.substr(0, source.size() / 2),
        source.substr(0, source.size() - 1), random_bytes(5000),
        std::string("This is a text.\n")}) {
    write_text(folder / "in.onnx", bytes);
    check_refused("convert " + (folder / "in.onnx") + " -o " + out, 3);
    CHECK(folder.files() == 1);
  }
  check_refused("convert " + kSource + " -o " + (folder / "no/out.fgm"), 8, "no/out.fgm");
  check_refused("convert " + kSource + " -o " + folder.path(), 8);
}

TEST_CASE("convert names the node that it cannot convert") {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  const auto describe = [](onnx::ValueInfoProto& value, const char* name) {
    value.set_name(name);
    auto& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    for (const int extent : {1, 4}) type.mutable_shape()->add_dim()->set_dim_value(extent);
  };
  describe(*graph.add_input(), "x");
  describe(*graph.add_output(), "y");
  onnx::NodeProto& node = *graph.add_node();
  node.set_name("the_node");
  node.set_op_type("Frobnicate");
  node.add_input("x");
  node.add_output("y");
  const ScratchFolder folder;
  write_text(folder / "in.onnx", model.SerializeAsString());
  const std::string line = "convert " + (folder / "in.onnx") + " -o " + (folder / "out.fgm");
  check_refused(line, 4, "the_node");
  check_refused(line, 4, "Frobnicate");
  CHECK(folder.files() == 1);
  node.set_op_type("Relu");
  write_text(folder / "in.onnx", model.SerializeAsString());
  CHECK(run_figment(line).code == 0);
}

TEST_CASE("every verb refuses files that are no models") {
  const WithModel with;
  const std::string sound = read_text(with.model);
  const std::string bad = with.folder / "bad.fgm", out = with.folder / "out";
  write_text(with.folder / "z.npy", "");
  const std::vector<std::string> lines = {
      "show " + bad,
      "show " + bad + " --json",
      "show " + bad + " --svg " + out,
      "run " + bad + " --in " + (with.folder / "z.npy") + " --out " + out,
      "sample " + bad + " -o " + out,
      "check " + bad,
      "bench " + bad};
  for (const std::string& bytes :
       {std::string(), sound.substr(0, 7), sound.substr(0, 100), sound.substr(0, sound.size() / 2),
        random_bytes(5000), read_text(kSource)}) {
    write_text(bad, bytes);
    for (const std::string& line : lines) check_refused(line, 3, "bad.fgm");
  }
  std::filesystem::remove(bad);
  for (const std::string& line : lines) check_refused(line, 8, "bad.fgm");
  CHECK_FALSE(std::filesystem::exists(out));
  check_refused("check -", 3, "standard input", random_bytes(100));
}

TEST_CASE("run names what does not fit") {
  const WithModel with;
  const std::string z = with.folder / "z.npy", out = with.folder / "out.npy";
  const std::string base = "run " + with.model + " --out " + out;
  const std::string named = base + " --in latent=" + z;
  write_array(z, {1, 20});
  check_refused(base, 5, "'latent' is missing");
  check_refused(base + " --in noise=" + z, 5, "it has: latent");
  check_refused(base + " --in " + z + " --in " + z, 5, "one input too many");
  check_refused("run " + with.model + " --in " + z + " --out picture=" + out, 5, "it has: image");
  check_refused("run " + with.model + " --in " + z, 2, "--out");
  check_refused(base + " --in " + z + " --backend cuda", 2, "--backend");
  check_refused(base + " --in " + (with.folder / "none.npy"), 8, "none.npy");
  check_refused(base + " --in " + z + " --batch 2", 5, "takes 2x20");
  for (const std::vector<std::int64_t>& shape :
       std::vector<std::vector<std::int64_t>>{{20}, {1, 21}, {1, 20, 1}, {1, 0}, {0, 20}}) {
    write_array(z, shape);
    check_refused(named, 5, "latent");
  }
  write_text(z, random_bytes(300));
  check_refused(base + " --in " + z, 3, "z.npy");
  write_text(with.folder / "z.png", random_bytes(300));
  check_refused(base + " --in " + (with.folder / "z.png"), 3, "z.png");
  CHECK_FALSE(std::filesystem::exists(out));
  write_array(z, {1, 20});
  check_refused("run " + with.model + " --in " + z + " --out " + (with.folder / "no/y.npy"), 8,
                "no/y.npy");
  CHECK(run_figment(base + " --in " + z).code == 0);
}

TEST_CASE("sample and bench refuse what the model cannot do") {
  const WithModel with;
  const std::string out = with.folder / "out.png";
  check_refused("sample " + with.model + " -o " + (with.folder / "no/out.png"), 8, "no/out.png");
  check_refused("sample " + with.model + " -o " + out + " --truncation -1", 2, "--truncation");
  const std::string encoder = with.folder / "encoder.fgm";
  REQUIRE(run_figment("convert " + source_folder() + "models/digits_vae/encoder.onnx -o " + encoder)
              .code == 0);
  check_refused("sample " + encoder + " -o " + out, 5, "--image");
  check_refused("run " + encoder + " --in " + source_folder() +
                    "models/digits_vae/golden/encoder.image.npy --out " + out,
                5, "--image");
  CHECK_FALSE(std::filesystem::exists(out));
  const CommandResult full = run_figment("sample " + with.model + " -o /dev/full");
  CHECK(full.code == 8);
}

TEST_CASE("demo makes the folder for its pictures, and says when it cannot") {
  const ScratchFolder folder;
  CHECK(run_figment("demo -o " + (folder / "new/folder")).code == 0);
  CHECK(std::filesystem::file_size(folder / "new/folder/digits_vae.png") > 0);
  CHECK(std::filesystem::file_size(folder / "new/folder/digits_gan.png") > 0);
  CHECK(run_figment("demo -o " + (folder / "new/folder/digits_vae.png/below")).code == 8);
}

}  // namespace figment::testing
