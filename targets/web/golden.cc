// Checks a model's content hash and golden; targets/host/check.cc does the same for the command
// line.
#include "targets/web/golden.h"

#include <cstring>

#include "figment/format/model_generated.h"
#include "runtime/base/error.h"
#include "runtime/format/sha256.h"
#include "runtime/model_view.h"
#include "targets/web/latents.h"

namespace figment::web {
namespace {

bool same(const format::Hash& hash, const format::Digest& digest) {
  return std::memcmp(hash.bytes()->data(), digest.data(), digest.size()) == 0;
}

}  // namespace

Status check_golden(const Model& model, std::span<std::byte> arena) {
  const format::Hash* content = model.root().content_hash();
  if (content == nullptr || !same(*content, format::content_hash(model.bytes())))
    return make_error(ErrorCode::kBadFile,
                      {"the file was changed since it was converted: its content hash differs"});
  const format::Golden* golden = golden_of(model.root());
  if (golden == nullptr)
    return bad_argument({"the file has no golden, so its results cannot be checked"});

  Options options;
  options.backend = Backend::kPortable;
  options.noise_seed = golden->seed();
  Result<Session> session = Session::create(model, arena, options);
  if (!session.ok()) return session.status();
  // A new session's inputs are zeros, as those of whole numbers stay.
  for (int index = 0; index < model.input_count(); ++index)
    if (const Tensor input = session->input(index); input.type == DataType::kFloat32)
      fill_from_prior(model, input, {golden->seed() + static_cast<std::uint64_t>(index), 0, 0});
  FIG_TRY(session->run());
  format::Sha256 hash;
  for (int index = 0; index < model.output_count(); ++index) {
    const Tensor output = session->output(index);
    // float32 and int32: four bytes each.
    hash.update({static_cast<const std::byte*>(output.data),
                 4 * static_cast<std::size_t>(output.elements())});
  }
  if (!same(*golden->output_digest(), hash.finish()))
    return backend_error({"this browser does not compute what the golden says, bit for bit"});
  return {};
}

}  // namespace figment::web
