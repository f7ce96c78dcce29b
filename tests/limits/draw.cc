// The least that a program which draws pictures asks of the runtime: what size_test.sh measures.
#include <figment/figment.h>

extern "C" bool draw(const std::byte* bytes, std::size_t size, std::byte* arena,
                     std::size_t arena_size, std::uint8_t* pixels, std::size_t pixel_bytes) {
  const auto model = figment::Model::open({bytes, size});
  if (!model.ok()) return false;
  const figment::Options options{.backend = figment::Backend::kPortable};
  auto session = figment::Session::create(*model, {arena, arena_size}, options);
  if (!session.ok()) return false;
  figment::fill_normal(session->input(0), 42);
  if (!session->run().ok()) return false;
  return figment::to_rgb8(session->output(0), model->image(), {pixels, pixel_bytes}).ok();
}
