// Which of a checkpoint's dictionaries holds the weights.
#include <algorithm>
#include <string_view>

#include "converter/import/torch/weights.h"

namespace figment::converter {
namespace {

using Kind = PickleValue::Kind;

constexpr int kMaxDepth = 3;  // of dictionaries in dictionaries

// Where training scripts keep the weights that are meant to be used, the likeliest first.
constexpr const char* kUsualKeys[] = {
    "params_ema",       "g_ema", "ema",       "state_dict",
    "model_state_dict", "model", "generator", "generator_state_dict",
    "params",           "netG",  "G",         "net",
    "decoder"};

bool has_tensors(const PickleValue& value) {
  if (!value.is(Kind::kDictionary)) return false;
  const std::vector<PickleValue>& items = value.object->items;
  for (std::size_t index = 0; index + 1 < items.size(); index += 2)
    if (items[index].is(Kind::kText) && items[index + 1].is(Kind::kTensor)) return true;
  return false;
}

// Dictionaries that hold tensors, with the keys that lead to them.
void collect(const PickleValue& value, const std::string& path, int depth,
             std::vector<std::pair<std::string, const PickleValue*>>& found) {
  constexpr std::size_t kMost = 1000;
  if (!value.is(Kind::kDictionary) || depth > kMaxDepth || found.size() > kMost) return;
  if (has_tensors(value)) {
    found.emplace_back(path, &value);
    return;
  }
  const std::vector<PickleValue>& items = value.object->items;
  for (std::size_t index = 0; index + 1 < items.size(); index += 2) {
    if (!items[index].is(Kind::kText)) continue;
    const std::string& key = items[index].object->text;
    // An optimizer's state holds tensors by number.
    if (key.find("optim") != std::string::npos) continue;
    std::string inner = path;
    if (!inner.empty()) inner += '.';
    collect(items[index + 1], inner.append(key), depth + 1, found);
  }
}

void add_tensors(const PickleValue& dictionary, const std::string& prefix, TorchNames& names) {
  const std::vector<PickleValue>& items = dictionary.object->items;
  for (std::size_t index = 0; index + 1 < items.size(); index += 2)
    if (items[index].is(Kind::kText) && items[index + 1].is(Kind::kTensor))
      names[prefix + items[index].object->text] = tensor_of(*items[index + 1].object);
}

// Wrappers of a whole model leave their own name before all others.
void strip(TorchNames& names, std::string_view wrapper) {
  if (names.empty() || !std::ranges::all_of(names, [&](const auto& entry) {
        return entry.first.size() > wrapper.size() && entry.first.starts_with(wrapper);
      }))
    return;
  TorchNames stripped;
  for (auto& [name, tensor] : names) stripped[name.substr(wrapper.size())] = std::move(tensor);
  names = std::move(stripped);
}

}  // namespace

TorchNames find_state_dict(const Pickle& pickle, const std::string& file, const std::string& key) {
  std::vector<std::pair<std::string, const PickleValue*>> found;
  collect(pickle.root(), "", 0, found);
  if (found.empty())
    throw ConvertError(file +
                       " holds no dictionary of tensors; save the weights with "
                       "torch.save(model.state_dict(), 'weights.pt')");
  std::string keys;
  for (const auto& [path, value] : found) {
    keys += keys.empty() ? "'" : ", '";
    keys += path + "'";
  }
  TorchNames names;
  const auto named = [&](std::string_view wanted) {
    const auto row =
        std::ranges::find_if(found, [&](const auto& entry) { return entry.first == wanted; });
    if (row != found.end()) add_tensors(*row->second, "", names);
    return row != found.end();
  };
  if (!key.empty()) {
    if (!named(key))
      throw ConvertError(file + " has no dictionary of tensors '" + key +
                         "', which the network's description names; it has " + keys);
  } else if (found.size() == 1) {
    add_tensors(*found[0].second, "", names);
  } else if (!std::ranges::any_of(kUsualKeys, named)) {
    // Parts of a model that were saved one by one.
    for (const auto& [path, value] : found) add_tensors(*value, path + ".", names);
  }
  for (const std::string_view wrapper : {"module.", "_orig_mod.", "module."}) strip(names, wrapper);
  return names;
}

}  // namespace figment::converter
