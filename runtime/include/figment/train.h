// Learning on the device, on one page: VAEs, GANs and single models trained or fine-tuned inside
// one arena of the caller's. A library of its own (figment_train) beside the runtime.
//
//   figment::TrainOptions options;                           // what learns, how, from which loss
//   options.task = figment::Task::kVae;
//   const figment::TrainedModels models{*decoder, *encoder};
//   auto need    = figment::Trainer::arena_bytes(models, options);  // exact, before any memory
//   auto trainer = figment::Trainer::create(models, arena, options);
//   copy(pictures, trainer->examples());                     // as the encoder takes them
//   FIG_TRY(trainer->step());                                // forward, backward, update
//   trainer->report().loss;                                  // figures of the step
//   auto delta   = trainer->write_delta(bytes);              // what has changed, for apply_delta
//
// The caller owns all memory; nothing comes from the heap. Errors are values.
#pragma once

#include "figment/figment.h"

namespace figment {

// ---- What is learned ------------------------------------------------------------------------

// B is the batch. Losses are means over it.
enum class Task : std::uint8_t {
  // The first model's outputs shall be the targets.
  kSupervised,
  // `model` is a decoder, `partner` the encoder: x -> mean and logarithm of the variance [B, L]
  // each (two outputs, or one of 2*L), a latent drawn from them, the decoder's x'. The loss is the
  // reconstruction summed over a picture + beta * 1/2 * sum(mean^2 + variance - 1 - log variance):
  // the negative evidence lower bound of D. Kingma, M. Welling, "Auto-Encoding Variational Bayes"
  // (2014), where the reconstruction is a negative log-likelihood.
  kVae,
  // As kVae without the draw and the second term: the encoder's first output is the latent.
  kAutoencoder,
  // `model` is a generator, `partner` a discriminator [B, 1] of logits, trained in turn: I.
  // Goodfellow and others, "Generative Adversarial Nets" (2014).
  kGan,
};

// Of kSupervised, kVae and kAutoencoder: y against the target t. Summed over an example in a VAE
// and in an autoencoder, a mean over the elements in supervised learning.
enum class Loss : std::uint8_t {
  kMeanSquaredError,    // (y - t)^2
  kBinaryCrossEntropy,  // -t log y - (1 - t) log (1 - y); y = sigmoid(logit) is computed with its
                        // logit
  kCrossEntropy,        // -log softmax(y)[t], t an index (int32), over y's last axis; t < 0: not
                        // counted
};

// Of kGan. D is a logit, s the sigmoid; means over real pictures x and generated ones g.
enum class AdversarialLoss : std::uint8_t {
  kMinimax,        // D: -log s(D(x)) - log(1 - s(D(g))); G: log(1 - s(D(g)))
  kNonSaturating,  // D the same; G: -log s(D(g))
  kLeastSquares,   // D: 1/2 (D(x) - 1)^2 + 1/2 D(g)^2; G: 1/2 (D(g) - 1)^2 (Mao and others, 2017)
  kHinge,          // D: max(0, 1 - D(x)) + max(0, 1 + D(g)); G: -D(g) (Lim and Ye, 2017)
  kWasserstein,    // D: D(g) - D(x); G: -D(g) (Arjovsky and others, 2017), with weights
                   // clipped or spectral normalization; a gradient penalty would need second
                   // derivatives, which no operator here has
};

enum class Optimizer : std::uint8_t { kSgd, kAdam, kAdamW };
enum class Schedule : std::uint8_t {
  kConstant,
  kCosine,   // falls to 0 at the last update
  kFalling,  // constant for the first half, then falls in a straight line to 0
};

// Which constants of a model learn. Those that no gradient reaches never do.
enum class Learns : std::uint8_t {
  kNothing,
  kAll,
  kLastLayers,       // those of the last `layers` operators that have weights, and of what follows
  kBiasesAndScales,  // vectors: biases, and normalizations' scales
  kNamed,            // those whose name, or whose operator's, `pattern` fits: * and ? are wild
};

struct Selection {
  Learns learns = Learns::kAll;
  std::int32_t layers = 1;
  std::string_view pattern = {};  // outlives the trainer
  // Above 0: the selected weights W of dense and convolution layers stay as they are and learn a
  // sum of so many products beside them, W + left * right (E. Hu and others, "LoRA", 2021).
  std::int32_t adapter_rank = 0;
};

struct OptimizerOptions {
  Optimizer kind = Optimizer::kAdam;
  float learning_rate = 1e-3F;
  float momentum = 0;  // of kSgd
  float beta1 = 0.9F, beta2 = 0.999F, epsilon = 1e-8F;
  float weight_decay = 0;  // kSgd and kAdam add it to the gradient, kAdamW shrinks the weights
};

struct TrainOptions {
  Task task = Task::kSupervised;
  Loss loss = Loss::kMeanSquaredError;
  AdversarialLoss adversarial = AdversarialLoss::kNonSaturating;
  Selection selection;          // of `model`
  Selection partner_selection;  // of `partner`
  OptimizerOptions optimizer;
  float partner_learning_rate = 0;  // of a discriminator or an encoder; 0: the same

  std::int32_t batch = 16;        // examples in one step()
  std::int32_t accumulation = 1;  // step()s before the weights move, by their mean gradient
  // Above 0: gradients are shortened to this norm, over all that learns in one model. Like
  // accumulation it takes memory for every gradient at once.
  float clip_norm = 0;
  Schedule schedule = Schedule::kConstant;
  std::int64_t warm_up = 0;  // updates over which the learning rate grows from 0
  std::int64_t updates = 0;  // with a schedule: after so many the rate is 0

  float beta = 1;                  // of kVae
  std::int64_t beta_warm_up = 0;   // updates over which beta grows from 0
  std::int32_t partner_steps = 1;  // kGan: the generator moves in every so manieth step
  float clip_weights = 0;          // kGan: the discriminator's weights are kept within +- this
  // kGan with kMinimax or kNonSaturating: what the discriminator is told that real pictures are; a
  // little less than 1 keeps it from certainty (T. Salimans and others, 2016).
  float real_label = 1;
  // kGan: the discriminator's weights are divided by their largest singular value, followed by one
  // power iteration a step (T. Miyato and others, "Spectral Normalization", 2018).
  bool spectral_normalization = false;

  // Above 0: learned() and write_delta() give `model` as an average over its updates, of which each
  // keeps this share (B. Polyak, A. Juditsky, 1992); takes memory for all that learns once more.
  float average_decay = 0;
  // Elementwise functions whose input is kept for the backward (Swish, Gelu ...) are computed again
  // there instead of being kept too: less memory for more time, and the same bits.
  bool recompute = false;
  // Batch normalizations of a model that learns use the batch's statistics, and move the stored
  // ones; otherwise the stored ones.
  bool batch_statistics = true;
  float statistics_momentum = 0.1F;

  std::uint64_t seed = 0;  // of the latents
  Backend backend = Backend::kXnnpack;
  pthreadpool* threads = nullptr;  // null: one thread
};

struct TrainedModels {
  const Model& model;
  const Model* partner = nullptr;  // kVae, kAutoencoder: the encoder; kGan: the discriminator
};

// ---- Training -------------------------------------------------------------------------------

// Figures of the last step.
struct TrainReport {
  std::int64_t updates = 0;  // so far
  float loss = 0;            // kGan: the generator's
  float reconstruction = 0;  // kVae and kAutoencoder
  float divergence = 0;      // kVae: without beta
  float partner_loss = 0;    // kGan: the discriminator's
  float real = 0, fake = 0;  // kGan: means of D(x) and D(g)
  float gradient_norm = 0;   // with clip_norm: of `model`, before
  float learning_rate = 0;
};

// A tensor of a model that learns, or a stored statistic that moves.
struct LearnedTensor {
  std::int32_t model = 0;   // 0, or 1 for the partner
  std::int32_t tensor = 0;  // its index in the file
  std::string_view name;
  Shape shape;
  std::span<const float> values;  // empty with an adapter
  // With an adapter, matrices [rows, rank] and [rank, columns] beside the file's values.
  std::span<const float> left, right;
  std::int32_t rank = 0;
};

// One training run over a model, or two, wholly inside the caller's arena. One thread at a time.
class Trainer {
 public:
  // The exact number of bytes that create() takes with the same options. Measures in `workspace`,
  // as Session::arena_bytes does.
  static Result<std::size_t> arena_bytes(const TrainedModels& models, const TrainOptions& options,
                                         std::span<std::byte> workspace = {});
  // `arena` begins at a multiple of kArenaAlignment. It and the models' bytes outlive the trainer.
  static Result<Trainer> create(const TrainedModels& models, std::span<std::byte> arena,
                                const TrainOptions& options);

  // For the caller to fill before each step, [B, ...]; their numbers are gone after it.
  // What the model (kSupervised), the encoder or the discriminator takes first.
  Tensor examples() const;
  // kSupervised: what shall come out: [the output's shape], or int32 indices of that shape without
  // its last axis for kCrossEntropy. Elsewhere absent, but for text: kCrossEntropy's indices.
  Tensor targets() const;
  // int32 [B], for models with a second input: a class's number, or a vector with a 1 at it. Absent
  // where no model has one.
  Tensor labels() const;

  // Computes the loss of the examples and its gradients, and moves what learns, with accumulation
  // in every so manieth step. When a loss is no number, nothing has moved: the error says which
  // operator first gave one.
  Status step();
  // The same loss of the examples, moving nothing; batch normalizations use what is stored.
  // `seed`: of the latents.
  Status evaluate(std::uint64_t seed);
  TrainReport report() const;

  int learned_count() const;
  LearnedTensor learned(int index) const;
  // Operators behind which nothing can learn, for they have no backward: by index, of `model` (0)
  // or `partner` (1).
  int blocking_count() const;
  struct Blocking {
    std::int32_t model, operator_index;
    std::string_view kind, name;
  };
  Blocking blocking(int index) const;

  // All that a later run needs to go on from here, bit for bit: values, the optimizer's moments,
  // counters. Of the same models and options alone, on machines of one byte order. Between steps.
  std::span<std::byte> state();

  // The changed tensors as a file of their own, a delta (runtime/format/delta.fbs), into `bytes`.
  // Returns its size; when there is too little room, the error says in `bytes_needed` how much it
  // takes. `examples_seen`: what a merge may weigh it by.
  Result<std::size_t> write_delta(std::span<std::byte> bytes, std::uint64_t examples_seen) const;

  std::size_t state_bytes() const;       // of state()
  std::size_t activation_bytes() const;  // what the planner placed

  struct State;

 private:
  explicit Trainer(State* state) : state_(state) {}
  State* state_;
};

// Writes what `delta` has learned of this model into `model`, a copy of the file's bytes: in the
// format that each tensor has there, and the content hash; the golden's digest becomes zeros, for
// nobody has computed a new one. A delta for another model is refused, as is a tuned file, whose
// packed weights would not follow; then nothing is changed. `model` begins at a multiple of 64,
// `delta`, which lies apart from it, at one of 8.
Status apply_delta(std::span<std::byte> model, std::span<const std::byte> delta);

}  // namespace figment
