// The shortest program that draws a sample: what a user writes against the installed runtime.
#include <figment/figment.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

int main(int, char** arguments) {
  std::ifstream file(arguments[1], std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::size_t>(file.tellg());
  auto* bytes = static_cast<std::byte*>(std::aligned_alloc(64, (size + 63) / 64 * 64));
  file.seekg(0).read(reinterpret_cast<char*>(bytes), static_cast<std::streamsize>(size));
  auto model = figment::Model::open({bytes, size});
  if (!model.ok()) return std::puts(model.status().text);
  auto need = figment::Session::arena_bytes(*model, {});
  if (!need.ok()) return std::puts(need.status().text);
  auto* arena = static_cast<std::byte*>(std::aligned_alloc(64, (*need + 63) / 64 * 64));
  auto session = figment::Session::create(*model, {arena, *need}, {});
  if (!session.ok()) return std::puts(session.status().text);
  figment::fill_normal(session->input(0), 42);
  if (auto status = session->run(); !status.ok()) return std::puts(status.text);
  std::printf("%lld values, the first is %g\n",
              static_cast<long long>(session->output(0).elements()),
              session->output(0).floats()[0]);
}
