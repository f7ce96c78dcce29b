// Where a variational autoencoder draws its latent: z = z_mean + exp(z_log_var / 2) * noise.
//
// What draws it is code of the user's: a class called Sampling, or a Lambda. Code is never run. A
// class is taken to do what its name says; a Lambda is taken for the usual one when the names and
// numbers in its code are those of the usual one.
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <string_view>

#include "converter/import/base64.h"
#include "converter/import/layers/layer_node.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

std::string lower(std::string text) {
  for (char& letter : text)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return text;
}

bool sounds_like_sampling(const std::string& name) {
  const std::string plain = lower(name);
  return plain.find("sampl") != std::string::npos || plain.find("reparam") != std::string::npos;
}

// Whether a Lambda's code (Python's marshal format, in which names and numbers can be read) is that
// of the usual sampling.
bool is_usual_code(const std::string& code) {
  using std::string_view_literals::operator""sv;
  const auto has = [&](std::string_view part) { return code.find(part) != std::string::npos; };
  const bool half = has("\x00\x00\x00\x00\x00\x00\xe0\x3f"sv) || has("\x02\x00\x00\x00"sv);
  return has("random_normal") && has("exp") && half;
}

// What the setting 'function' of a Lambda holds: a name, or code in base64.
bool is_usual_lambda(const LayerNode& node) {
  const nlohmann::json* function = node.find({"function"});
  if (function == nullptr) return false;
  // Keras 3: {"class_name": "__lambda__", "config": {"code": ...}}
  if (function->is_object() && function->contains("config")) function = &function->at("config");
  if (function->is_object() && function->contains("code")) function = &function->at("code");
  if (function->is_array() && !function->empty()) function = &function->at(0);
  if (!function->is_string()) return false;
  const auto text = function->get<std::string>();
  return sounds_like_sampling(text) || is_usual_code(decode_base64(text));
}

void draw(LayerNode& node) {
  const TensorId mean = node.inputs()[0], log_variance = node.inputs()[1];
  const TensorId half = node.binary(BinaryFunction::Mul, log_variance, node.scalar(0.5F));
  const TensorId deviation = node.unary(format::UnaryFunction::Exp, half);
  const TensorId noise = node.noise(node.shape(mean));
  node.set_output(
      node.binary(BinaryFunction::Add, mean, node.binary(BinaryFunction::Mul, deviation, noise)));
}

bool has_two_alike(const LayerNode& node) {
  return node.inputs().size() == 2 && node.shape(node.inputs()[0]) == node.shape(node.inputs()[1]);
}

void lambda(LayerNode& node) {
  if (has_two_alike(node) && is_usual_lambda(node)) return draw(node);
  node.refuse("it is Python code, which is never run; cut the model there: --from " + node.label() +
              " converts what follows it, --to LAYER what ends before it");
}

constexpr LayerRow kRows[] = {
    {"Lambda", lambda},
};

}  // namespace

const std::span<const LayerRow> kSamplingLayers = kRows;

bool import_sampling(LayerNode& node) {
  if (!sounds_like_sampling(node.kind()) || !has_two_alike(node)) return false;
  node.skip_weights();  // the state of a random generator
  draw(node);
  return true;
}

}  // namespace figment::converter
