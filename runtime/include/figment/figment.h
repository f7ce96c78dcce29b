// The public API of Figment's runtime, on one page.
//
//   auto model   = figment::Model::open(bytes);   // verifies once, copies nothing
//   auto need    = figment::Session::arena_bytes(*model, options);  // exact, before any memory
//   auto session = figment::Session::create(*model, arena, options);
//   figment::fill_normal(session->input(0), seed);  // from here on, nothing from the heap
//   FIG_TRY(session->run());
//   figment::to_rgb8(session->output(0), model->image(), pixels);  // or draw_text, spell_text
//
// The caller owns all memory: the model's bytes, the arena, the thread pool. Errors are values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

struct pthreadpool;  // the caller's, from pthreadpool.h

namespace figment {

inline constexpr std::string_view kVersion = "0.1.0";

// ---- Errors ---------------------------------------------------------------------------------

enum class ErrorCode : std::uint8_t {
  kOk = 0,
  kBadFile,        // the bytes are damaged, or were never a model
  kUnsupported,    // a sound file that needs what this build does not have
  kBadArgument,    // the caller's values do not fit the model
  kArenaTooSmall,  // the message and `bytes_needed` say how much it takes
  kBackend,        // XNNPACK refused
};

// What went wrong, where, and what to do about it. Owns its text; never allocates.
class [[nodiscard]] Status {
 public:
  static constexpr std::size_t kMessageBytes = 240;

  Status() {}  // leaves the text as it is: success costs nothing
  bool ok() const { return code == ErrorCode::kOk; }
  std::string_view message() const { return {text, text_length}; }

  ErrorCode code = ErrorCode::kOk;
  std::int32_t operator_index = -1;  // which operator of the model, -1 when none is to blame
  std::size_t bytes_needed = 0;      // with kArenaTooSmall: the exact size
  std::uint16_t text_length = 0;
  char text[kMessageBytes];
};

// Either a value or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(static_cast<T&&>(value)) {}
  Result(const Status& status) : status_(status) {}

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

// Returns from the calling function when `expression` (a Status) is an error.
#define FIG_TRY(expression)                                                      \
  do {                                                                           \
    if (::figment::Status fig_try_status_ = (expression); !fig_try_status_.ok()) \
      return fig_try_status_;                                                    \
  } while (false)

// ---- Tensors --------------------------------------------------------------------------------

// Values as in runtime/format/model.fbs.
enum class DataType : std::uint8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kInt32 = 2,
  kInt8 = 3,
  kInt4 = 4,
  kUInt8 = 5
};

inline constexpr int kMaxRank = 8;

// Extents, outermost first. Pictures are N,H,W,C.
struct Shape {
  std::int32_t dims[kMaxRank] = {};
  std::int32_t rank = 0;

  std::int32_t operator[](int axis) const { return dims[axis]; }
  std::int32_t& operator[](int axis) { return dims[axis]; }
  // Number of elements; 1 for a scalar (rank 0).
  std::int64_t elements() const {
    std::int64_t product = 1;
    for (int axis = 0; axis < rank; ++axis) product *= dims[axis];
    return product;
  }
  bool operator==(const Shape& other) const {
    if (rank != other.rank) return false;
    for (int axis = 0; axis < rank; ++axis)
      if (dims[axis] != other.dims[axis]) return false;
    return true;
  }
};

// A view of numbers that somebody else owns (the arena, or the model's bytes). An operand that an
// operator was not given has `present() == false`.
struct Tensor {
  void* data = nullptr;
  Shape shape;
  DataType type = DataType::kFloat32;
  bool constant = false;  // lives in the model's bytes: read only
  bool absent = false;
  // Of int8 weights: element q of output channel c stands for scales[c] * q. int4 ones have theirs
  // in `data` (runtime/math/int4.h).
  std::span<const float> scales = {};

  bool present() const { return !absent; }
  float* floats() const { return static_cast<float*>(data); }
  std::int32_t* integers() const { return static_cast<std::int32_t*>(data); }
  std::int64_t elements() const { return shape.elements(); }
  // The values as a span of float32; valid only for that type.
  std::span<float> values() const { return {floats(), static_cast<std::size_t>(elements())}; }
};

// ---- Models ---------------------------------------------------------------------------------

enum class ModelKind : std::uint8_t { kOther, kDecoder, kGenerator, kEncoder, kDiscriminator };
enum class Distribution : std::uint8_t { kNormal, kUniform };

// A named input or output.
struct Port {
  std::string_view name;  // as the source file had it
  DataType type;
  Shape shape;              // at batch 1, in the runtime's order (N,H,W,C)
  std::int32_t batch_axis;  // the axis that grows with the batch, -1 if none does
  std::uint8_t
      source_axes[kMaxRank];  // axis i of the source file's order is our axis source_axes[i]
};

// How an output is to be read as a picture.
struct ImageReading {
  std::int32_t height = 0, width = 0, channels = 0;
  float low = 0, high = 1;  // the values that mean black and white
};

// How an output is to be read as text: logits over a vocabulary of symbols, of the next symbol or
// of all symbols of a text at once.
struct TextReading {
  std::int32_t vocabulary = 0;     // how many symbols there are
  std::int32_t length = 0;         // most symbols in a text
  std::int32_t start = -1;         // the symbol that stands before a text, -1: none
  std::int32_t end = -1;           // the symbol that ends a text, -1: none
  std::int32_t symbol_input = -1;  // the model input that takes the symbol before; -1: all at once
};

// What figment tune has put into the file: weights packed for the fast backend, used in place when
// they are for this kind of processor and this build, and packed anew in the arena when they are
// not.
enum class Tuning : std::uint8_t { kNone, kHere, kElsewhere };

namespace format {
struct Model;  // the FlatBuffer; internal
}

// A verified model: immutable, shared between threads, a view of bytes that the caller keeps alive
// and unmoved. Cheap to copy.
class Model {
 public:
  // Verifies `bytes` once, in full; copies nothing. Weights are used in place, so `bytes` must
  // begin at an address that is a multiple of 64 (a mapped file does). Also starts XNNPACK, once in
  // a process: the only step that may take memory from the system for good.
  static Result<Model> open(std::span<const std::byte> bytes);

  std::string_view name() const;
  ModelKind kind() const;
  int input_count() const;
  int output_count() const;
  Port input(int index) const;
  Port output(int index) const;
  // False when the source fixed the batch; Session::create then takes batch 1 alone.
  bool any_batch() const;
  Distribution prior() const;
  // How the first output is to be read; height 0 when it is no picture.
  ImageReading image() const;
  // How the first output is to be read; vocabulary 0 when it is no text.
  TextReading text() const;
  // What symbol `index` of the vocabulary is written as, UTF-8; empty outside the vocabulary.
  std::string_view symbol(int index) const;
  // Whether input `index` is the caller's to fill: neither the symbol before nor a state of a text.
  bool is_latent(int index) const;

  int operator_count() const;
  std::size_t weight_bytes() const;
  Tuning tuning() const;
  std::span<const std::byte> bytes() const { return bytes_; }
  const format::Model& root() const { return *root_; }

 private:
  Model(std::span<const std::byte> bytes, const format::Model* root) : bytes_(bytes), root_(root) {}
  std::span<const std::byte> bytes_;
  const format::Model* root_;
};

// ---- Sessions -------------------------------------------------------------------------------

enum class Backend : std::uint8_t {
  kXnnpack,   // SIMD where XNNPACK is faster, portable elsewhere
  kPortable,  // the definition: the same bits from every compiler and chip
};

// What the observer is told, before and after each operator.
struct OperatorEvent {
  std::int32_t index;  // of the operator in the model
  bool finished;       // false before, true after
};

struct Options {
  std::int32_t batch = 1;
  Backend backend = Backend::kXnnpack;
  pthreadpool* threads = nullptr;  // null: one thread
  std::uint64_t noise_seed = 0;    // for noise operators inside the model
  // Called around every operator, on the thread that calls run(); null for none.
  void (*observer)(void* context, const OperatorEvent& event) = nullptr;
  void* observer_context = nullptr;
};

// How one operator runs in a session.
struct OperatorReport {
  std::string_view kind;      // the schema's name
  std::string_view name;      // the source's name
  std::string_view lowering;  // "portable", "xnnpack", "xnnpack gemm + col2im" ...
  double multiply_adds;       // in one run, 0 where nobody counts them
};

inline constexpr std::size_t kArenaAlignment = 64;

// One stream of runs over a Model, wholly inside the caller's arena. One thread at a time. Dropping
// it releases nothing, for it owns nothing.
class Session {
 public:
  // The exact number of bytes that create() takes with the same options on this machine. Measures
  // in `workspace`, which begins at a multiple of kArenaAlignment: the arena to be will do. Without
  // one it borrows memory from the system, where there is a heap, and gives it back before it
  // returns.
  static Result<std::size_t> arena_bytes(const Model& model, const Options& options,
                                         std::span<std::byte> workspace = {});

  // Lays the model out in `arena` (which must begin at a multiple of kArenaAlignment and outlive
  // the session, as must the model's bytes). Takes nothing from the heap.
  static Result<Session> create(const Model& model, std::span<std::byte> arena,
                                const Options& options);

  Session(Session&& other) noexcept : state_(other.state_) { other.state_ = nullptr; }
  Session& operator=(Session&& other) noexcept {
    state_ = other.state_;
    other.state_ = nullptr;
    return *this;
  }

  // Views into the arena; inputs keep their values over a run, outputs until the next one.
  Tensor input(int index) const;
  Tensor output(int index) const;

  // Computes the outputs from the inputs. Allocates nothing.
  Status run();

  // The seed of the noise operators in the next run.
  void set_noise_seed(std::uint64_t seed);

  OperatorReport operator_report(int index) const;
  // How many samples of the batch run() computes together: all, or where that would drive them out
  // of the processor's cache, a part after another. Observers are told of every part.
  int samples_at_once() const;
  std::size_t packed_bytes() const;      // operator objects, packed weights, tables
  std::size_t activation_bytes() const;  // what the planner placed
  std::size_t peak_live_bytes() const;  // the largest sum of tensors alive at once: its lower bound

  struct State;

 private:
  explicit Session(State* state) : state_(state) {}
  State* state_;
};

// ---- Sampling -------------------------------------------------------------------------------

// Independent draws from N(0,1), the same bits for the same seed on every target: element i depends
// on `seed` and `first + i` alone, so a batch may be drawn in pieces. `tensor` is float32.
void fill_normal(const Tensor& tensor, std::uint64_t seed, std::uint64_t first = 0);

// As fill_normal, but draws beyond `limit` standard deviations are drawn again.
void fill_truncated_normal(const Tensor& tensor, std::uint64_t seed, float limit,
                           std::uint64_t first = 0);

// Independent draws from [low, high).
void fill_uniform(const Tensor& tensor, std::uint64_t seed, float low, float high,
                  std::uint64_t first = 0);

// Turns one picture of `image` (N,H,W,C or N,H*W*C, C of 1 or 3; which of the batch: `index`) into
// height*width*3 bytes of R,G,B. `reading` gives size and range; a NaN becomes black.
Status to_rgb8(const Tensor& image, const ImageReading& reading, std::span<std::uint8_t> pixels,
               int index = 0);

struct TextOptions {
  // Logits are divided by it: below 1 the likely becomes likelier, 0 takes the likeliest symbol
  // always.
  float temperature = 1;
  std::uint64_t seed = 0;
  // The number of the session's first text: text k depends on the seed, on k and on its latent
  // alone, so many may be drawn in pieces.
  std::uint64_t first = 0;
};

// Draws one text for each of the session's batch, whose latents the caller has filled; runs the
// session once, or once a symbol. `symbols` has room for batch * length and gets text after text;
// -1 stands after a text's end, and neither the start nor the end is part of it. A symbol whose
// logit is NaN is never drawn; where no logit is a number the text ends. `session` is one of
// `model`.
Status draw_text(const Model& model, Session& session, const TextOptions& options,
                 std::span<std::int32_t> symbols);

// Writes symbols as UTF-8, up to the first that is -1, and returns the number of bytes; no 0
// follows. When there are more than `bytes` holds, the error says in `bytes_needed` how many.
Result<std::size_t> spell_text(const Model& model, std::span<const std::int32_t> symbols,
                               std::span<char> bytes);

}  // namespace figment
