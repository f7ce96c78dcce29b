// A generative model on a microcontroller: draws samples and prints them.
//
// The words that it is started with: `demo` (also without any) draws, `check` runs the model's own
// golden and compares every bit, `digest` prints the bits of the latents and a SHA-256 of the
// outputs; --seed N and
// --count N after them.
#include "figment/figment.h"
#include "figment/format/model_generated.h"
#include "runtime/base/error.h"
#include "runtime/format/sha256.h"
#include "runtime/model_view.h"
#include "targets/cortex_m/board.h"
#include "targets/cortex_m/draw.h"
#include "targets/cortex_m/model.h"
#include "targets/cortex_m/startup.h"

namespace figment::board {
namespace {

enum class Verb : std::uint8_t { kDemo, kCheck, kDigest };

struct Request {
  Verb verb = Verb::kDemo;
  std::uint64_t seed = 42;
  std::uint64_t count = 3;
};

// A line of pieces, put together as the runtime's own sentences are.
void say(std::initializer_list<Piece> pieces) {
  write(make_error(ErrorCode::kOk, pieces).message());
  write("\n");
}

// Takes the first word off the line. (string_view's own substr could throw, which takes a libc's
// half.)
std::string_view next_word(std::string_view& line) {
  const std::size_t blank = line.find(' ');
  const std::size_t length = blank < line.size() ? blank : line.size();
  const std::string_view word(line.data(), length);
  line.remove_prefix(length < line.size() ? length + 1 : length);
  return word;
}

Status parse_number(std::string_view option, std::string_view word, std::uint64_t& number) {
  number = 0;
  for (const char digit : word) {
    if (digit < '0' || digit > '9' || word.size() > 18)
      return bad_argument({option, " is ", word, " but must be a whole number"});
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return word.empty() ? bad_argument({option, " wants a whole number after it"}) : Status();
}

Status parse(std::string_view line, Request& request) {
  while (!line.empty()) {
    const std::string_view word = next_word(line);
    if (word == "demo" || word == "run" || word == "sample") {
      request.verb = Verb::kDemo;
    } else if (word == "check") {
      request.verb = Verb::kCheck;
    } else if (word == "digest") {
      request.verb = Verb::kDigest;
    } else if (word == "--seed") {
      FIG_TRY(parse_number(word, next_word(line), request.seed));
    } else if (word == "--count") {
      FIG_TRY(parse_number(word, next_word(line), request.count));
    } else {
      return bad_argument(
          {"there is no '", word, "' here; there are demo, check, digest, --seed N and --count N"});
    }
  }
  return {};
}

void print_hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  char pair[2];
  for (const std::uint8_t byte : bytes) {
    pair[0] = kDigits[byte >> 4];
    pair[1] = kDigits[byte & 15];
    write({pair, sizeof pair});
  }
}

std::span<const std::byte> bytes_of(const Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.data), tensor_bytes(tensor)};
}

format::Digest digest_of_outputs(const Model& model, const Session& session) {
  format::Sha256 hash;
  for (int index = 0; index < model.output_count(); ++index)
    hash.update(bytes_of(session.output(index)));
  return hash.finish();
}

Status demo(const Model& model, Session& session, const Request& request) {
  const std::uint64_t begun = cycles();
  for (std::uint64_t number = 0; number < request.count; ++number)
    FIG_TRY(draw(model, session, request.seed, number));
  say({request.count, " drawn in ", cycles() - begun, " cycles"});
  return {};
}

Status digest(const Model& model, Session& session, const Request& request) {
  fill_latents(model, session, request.seed, 0);
  session.set_noise_seed(request.seed);
  for (int index = 0; index < model.input_count(); ++index) {
    write("input ");
    write(model.input(index).name);
    write(" ");
    const auto bytes = bytes_of(session.input(index));
    print_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    write("\n");
  }
  const std::uint64_t begun = cycles();
  FIG_TRY(session.run());
  say({"run in ", cycles() - begun, " cycles"});
  write("outputs ");
  print_hex(digest_of_outputs(model, session));
  write("\n");
  return {};
}

Status check(const Model& model, Session& session) {
  const format::Golden* golden = golden_of(model.root());
  if (golden == nullptr) return bad_argument({"the model has no golden; convert it again"});
  session.set_noise_seed(golden->seed());
  fill_latents(model, session, golden->seed(), 0);
  FIG_TRY(session.run());
  const format::Digest found = digest_of_outputs(model, session);
  if (std::memcmp(golden->output_digest()->bytes()->data(), found.data(), found.size()) != 0)
    return bad_argument(
        {"the model does not compute here what its golden says, bit for bit; please report it"});
  say({"ok  golden, bit for bit"});
  return {};
}

Status run() {
  char room[128];
  Request request;
  FIG_TRY(parse(arguments(room), request));
  const Result<Model> model = Model::open(model_bytes());
  FIG_TRY(model.status());
  const Options options{.backend = Backend::kPortable};
  const Result<std::size_t> need = Session::arena_bytes(*model, options, arena());
  FIG_TRY(need.status());
  Result<Session> session = Session::create(*model, arena(), options);
  FIG_TRY(session.status());
  say({model->name(), ": ", model_bytes().size(), " bytes, arena ", *need, " of ", arena().size(),
       " bytes"});
  switch (request.verb) {
    case Verb::kDemo:
      FIG_TRY(demo(*model, *session, request));
      break;
    case Verb::kCheck:
      FIG_TRY(check(*model, *session));
      break;
    case Verb::kDigest:
      FIG_TRY(digest(*model, *session, request));
      break;
  }
  say({"stack ", stack_used(), " of ", stack_bytes(), " bytes"});
  return {};
}

}  // namespace

void fill_latents(const Model& model, Session& session, std::uint64_t seed, std::uint64_t number) {
  for (int index = 0; index < model.input_count(); ++index) {
    const Tensor input = session.input(index);
    if (input.type != DataType::kFloat32) continue;
    const std::uint64_t of_input = seed + static_cast<std::uint64_t>(index);
    const std::uint64_t first = number * static_cast<std::uint64_t>(input.elements());
    if (const format::Prior* prior = model.root().prior();
        prior != nullptr && prior->distribution() == format::Distribution::Uniform)
      fill_uniform(input, of_input, prior->low(), prior->high(), first);
    else
      fill_normal(input, of_input, first);
  }
}

int run_program() {
  const Status status = run();
  if (!status.ok()) {
    write("figment: ");
    write(status.message());
    write("\n");
  }
  return static_cast<int>(status.code);
}

}  // namespace figment::board
