// The choice among the tables: their names, and what a cap leaves.
#include "runtime/simd/kernels.h"

#include <string>

#include "tests/simd/tables.h"

namespace figment::simd {

TEST_CASE("a table goes by the name that chooses it, and every processor has the first") {
  CHECK(cap_kernels("base"));
  with_every_table([](const Kernels& table) {
    const std::string name = table.name;
    CHECK(cap_kernels(table.name));
    CHECK(name == kernels().name);
    CHECK(&table == &kernels());
  });
}

TEST_CASE("an unknown name is refused and changes nothing") {
  with_every_table([](const Kernels& table) {
    for (const char* name : {"", "avx", "avx2 ", "AVX2", "avx512vnni2", "neon"}) {
      CHECK_FALSE(cap_kernels(name));
      CHECK(&table == &kernels());
    }
  });
}

TEST_CASE("null restores the best, the first in the order of the tables that this processor has") {
  std::string best;
  for (const Kernels* table : tables())
    if (best.empty() && cap_kernels(table->name)) best = table->name;
  CHECK(cap_kernels("base"));
  CHECK(cap_kernels(nullptr));
  CHECK(kernels().name == best);
#ifdef __x86_64__
  CHECK((best == "base") != bool(__builtin_cpu_supports("avx2")));
#endif
}

TEST_CASE("a table is whole, and wider sets have wider vectors") {
  int lanes = 0;
  with_every_table([&](const Kernels& table) {
    CHECK(table.lanes >= 4);
    CHECK(table.lanes >= lanes);
    lanes = table.lanes;
    CHECK(table.panel_columns > table.lanes);
    CHECK(table.panel_columns % table.lanes == 0);
    CHECK((table.multiply != nullptr && table.winograd_input != nullptr &&
           table.winograd_output != nullptr && table.sum_columns != nullptr));
    CHECK((table.quantize != nullptr) == (table.multiply_int8 != nullptr));
    CHECK((table.find_extremes != nullptr) == (table.multiply_int8 != nullptr));
    CHECK((table.quantize_windows != nullptr) == (table.multiply_int8 != nullptr));
    CHECK((table.multiply_taps_int8 == nullptr || table.multiply_int8 != nullptr));
    CHECK(table.depth_step % 4 == 0);
    CHECK(table.int8_speed >= 1);
    CHECK((table.multiply_centered == nullptr) == (table.quantize_centered == nullptr));
    CHECK((table.multiply_centered == nullptr || table.multiply_int8 != nullptr));
    if (table.short_quads > 0) CHECK(table.depth_step % (4 * table.short_quads) == 0);
  });
}

}  // namespace figment::simd
