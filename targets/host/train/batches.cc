// Says what each of a task's data has to be, and copies rows.
#include "targets/host/train/batches.h"

#include <algorithm>

#include "targets/host/data/shuffle.h"
#include "targets/host/describe.h"
#include "targets/host/exit_code.h"
#include "targets/host/input_file.h"
#include "targets/host/ports.h"

namespace figment::host {
namespace {

constexpr double kMostInteger = 2147483647.0;

std::string quoted(const char* kind, const Port& port) {
  return std::string(kind) + " '" + std::string(port.name) + "'";
}

// Which model is shown the examples.
const Model& shown_model(const TrainedModels& models, Task task) {
  return task == Task::kSupervised ? models.model : *models.partner;
}

// The model whose vocabulary text is written in.
const Model* text_model(const TrainedModels& models) {
  for (const Model* model : {&models.model, models.partner})
    if (model != nullptr && model->text().vocabulary > 0) return model;
  return nullptr;
}

// Pictures as `reading` says, or as the caller does.
void read_as(ExampleForm& form, const ImageReading& reading,
             const std::optional<std::pair<float, float>>& range) {
  form.height = reading.height;
  form.width = reading.width;
  form.channels = reading.channels;
  form.low = range ? range->first : reading.low;
  form.high = range ? range->second : reading.high;
}

// What is compared with the model's pictures must lie where they do. A thousandth is for
// arithmetic.
void bound(ExampleForm& form) {
  const double low = std::min(form.low, form.high), high = std::max(form.low, form.high);
  const double slack = (high - low) / 1000;
  form.bounds = {low - slack, high + slack};
}

// Binary cross-entropy takes its targets for probabilities.
void bound_to_probabilities(ExampleForm& form) {
  if (std::min(form.low, form.high) < 0 || std::max(form.low, form.high) > 1)
    throw VerbError(ExitCode::kUsage,
                    "binary cross-entropy compares with numbers from 0 to 1, but black and white "
                    "are " +
                        number_text(double{form.low}) + " and " + number_text(double{form.high}) +
                        "; use --loss mse, or --range 0..1 where the model's pictures are so");
  form.bounds = {0, 1};
}

ExampleForm shown_form(const TrainedModels& models, const TrainOptions& options,
                       const std::optional<std::pair<float, float>>& range) {
  ExampleForm form;
  form.port = shown_model(models, options.task).input(0);
  form.what = quoted("input", form.port);
  form.text = text_model(models);
  const ImageReading reading = models.model.image();
  // In supervised learning it is the output that the model's reading speaks of.
  const bool same = options.task != Task::kSupervised;
  read_as(form, same ? reading : ImageReading{}, range);
  if (same && reading.height > 0 && form.port.type == DataType::kFloat32) bound(form);
  if (same && options.task != Task::kGan && options.loss == Loss::kBinaryCrossEntropy)
    bound_to_probabilities(form);
  return form;
}

// Of numbers as the output gives them.
ExampleForm wanted_form(const Model& model, const TrainOptions& options,
                        const std::optional<std::pair<float, float>>& range) {
  ExampleForm form;
  form.port = model.output(0);
  form.what = quoted("output", form.port);
  read_as(form, model.image(), range);
  if (model.image().height > 0) bound(form);
  if (options.loss == Loss::kBinaryCrossEntropy) bound_to_probabilities(form);
  return form;
}

// Of indices into the output's last axis: its shape without it. -1 does not count.
ExampleForm class_form(const Model& model, const Model* text) {
  ExampleForm form;
  const Port output = model.output(0);
  form.what = "the classes of " + quoted("output", output);
  form.port = output;
  form.port.type = DataType::kInt32;
  form.text = text;
  const int last = output.shape.rank - 1;
  --form.port.shape.rank;
  int axis = 0;
  for (int i = 0; i <= last; ++i)
    if (output.source_axes[i] != last) form.port.source_axes[axis++] = output.source_axes[i];
  form.bounds = {-1, output.shape[last] - 1};
  return form;
}

// Of a class's number for a second input.
ExampleForm label_form(const TrainedModels& models) {
  ExampleForm form;
  form.port.type = DataType::kInt32;
  form.port.shape.rank = 1;
  form.port.shape[0] = 1;
  form.port.batch_axis = 0;
  form.port.source_axes[0] = 0;
  form.bounds = {0, kMostInteger};
  for (const Model* model : {&models.model, models.partner}) {
    if (model == nullptr || model->input_count() < 2) continue;
    const Port port = model->input(1);
    form.port.name = port.name;
    form.what = quoted("input", port);
    if (port.type != DataType::kInt32) form.bounds->second = double(port.shape.elements() - 1);
  }
  return form;
}

void require_batch_first(const ExampleForm& form, std::int64_t batch) {
  if (batch > 1 && form.port.batch_axis != 0)
    throw VerbError(ExitCode::kUnsupported,
                    form.what +
                        " counts its batch along another axis than the first; use --batch 1 "
                        "and --accumulate");
}

// Example `row` of `batch`, which has `rows`.
Tensor row_of(const Tensor& batch, std::int64_t row, std::int64_t rows) {
  Tensor view = batch;
  view.shape[0] = static_cast<std::int32_t>(batch.shape[0] / rows);
  constexpr std::int64_t kBytes = 4;  // of float32 and int32, which are all that trainers take
  view.data = static_cast<std::byte*>(batch.data) + row * view.elements() * kBytes;
  return view;
}

}  // namespace

Batches::Batches(const DataFiles& files, const TrainedModels& models, const TrainOptions& options,
                 const std::optional<std::pair<float, float>>& range)
    : batch_(options.batch) {
  const auto usage = [](const std::string& sentence) {
    return VerbError(ExitCode::kUsage, sentence);
  };
  const bool supervised = options.task == Task::kSupervised;
  const bool classes = options.loss == Loss::kCrossEntropy && options.task != Task::kGan;
  const bool labelled = label_form(models).what != std::string();
  const ExampleForm shown = shown_form(models, options, range);
  require_batch_first(shown, batch_);
  examples_ = open_data_set(files.examples, shown);

  std::string targets = files.targets;
  if (classes) {
    if (models.model.output(0).shape.rank < 2)
      throw VerbError(ExitCode::kBadArgument,
                      "cross-entropy needs an output whose last axis are the classes");
    const Model* text = text_model(models);
    if (targets.empty() && !labelled && supervised) targets = files.labels;
    if (targets.empty() && text != nullptr) targets = files.examples;
    if (targets.empty())
      throw usage("cross-entropy needs a class for each example; give them with --labels");
    const ExampleForm wanted = class_form(models.model, text);
    require_batch_first(wanted, batch_);
    targets_ = open_data_set(targets, wanted, TextRole::kWanted);
  } else if (supervised) {
    if (targets.empty())
      throw usage("supervised learning needs what shall come out; give it with --targets");
    const ExampleForm wanted = wanted_form(models.model, options, range);
    require_batch_first(wanted, batch_);
    targets_ = open_data_set(targets, wanted);
  } else if (!targets.empty()) {
    throw usage("--targets is for supervised learning: in this task the examples are their own");
  }

  const bool labels_used = labelled || (targets_ != nullptr && targets == files.labels);
  if (labelled && files.labels.empty())
    throw usage("a class's number is wanted by " + label_form(models).what +
                "; give them with --labels");
  if (!files.labels.empty() && !labels_used) throw usage("nothing here takes --labels");
  if (labelled) labels_ = open_data_set(files.labels, label_form(models));

  for (const DataSet* other : {targets_.get(), labels_.get()})
    if (other != nullptr && other->count() != examples_->count())
      throw VerbError(ExitCode::kBadArgument,
                      input_name(files.examples) + " holds " + std::to_string(examples_->count()) +
                          " examples, but " +
                          input_name(other == labels_.get() ? files.labels : targets) + " " +
                          std::to_string(other->count()));
  if (count() < batch_)
    throw VerbError(ExitCode::kBadArgument, input_name(files.examples) + " holds " +
                                                std::to_string(count()) +
                                                " examples, fewer than a batch of " +
                                                std::to_string(batch_) + "; use a smaller --batch");
}

template <typename Order>
void Batches::fill_rows(const Order& order, std::int64_t first, const Trainer& trainer) const {
  const std::pair<const DataSet*, Tensor> parts[] = {{examples_.get(), trainer.examples()},
                                                     {targets_.get(), trainer.targets()},
                                                     {labels_.get(), trainer.labels()}};
  for (std::int64_t row = 0; row < batch_; ++row) {
    const std::int64_t index = order[first + row];
    for (const auto& [data, tensor] : parts)
      if (data != nullptr) data->read(index, row_of(tensor, row, batch_));
  }
}

void Batches::fill(std::int64_t step, std::uint64_t seed, const Trainer& trainer) const {
  const Shuffle order(count(), seed, step / batches());
  fill_rows(order, step % batches() * batch_, trainer);
}

void Batches::fill_in_order(std::int64_t index, const Trainer& trainer) const {
  struct InOrder {
    std::int64_t operator[](std::int64_t position) const { return position; }
  };
  fill_rows(InOrder{}, index * batch_, trainer);
}

std::string Batches::identity() const {
  std::string text = examples_->identity();
  if (targets_ != nullptr) text += "; targets " + targets_->identity();
  if (labels_ != nullptr) text += "; labels " + labels_->identity();
  return text;
}

}  // namespace figment::host
