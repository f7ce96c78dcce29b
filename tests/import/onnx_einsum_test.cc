// Einsum against the sum that its equation says, written out over all letters.
#include <doctest/doctest.h>

#include <map>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

struct Operand {
  std::string letters;
  Extents extents;
  std::vector<float> values;

  double at(const std::map<char, std::int64_t>& place) const {
    std::int64_t index = 0;
    for (std::size_t axis = 0; axis < letters.size(); ++axis)
      index = index * extents[axis] + (extents[axis] == 1 ? 0 : place.at(letters[axis]));
    return static_cast<double>(values[static_cast<std::size_t>(index)]);
  }
};

// Sums the product of the operands over all values of all letters.
std::vector<double> write_out(const std::vector<Operand>& operands, const std::string& result) {
  std::map<char, std::int64_t> sizes, place;
  for (const Operand& operand : operands)
    for (std::size_t axis = 0; axis < operand.letters.size(); ++axis) {
      std::int64_t& size = sizes[operand.letters[axis]];
      size = std::max(size, operand.extents[axis]);
    }
  std::int64_t count = 1;
  for (const char letter : result) count *= sizes[letter];
  std::vector<double> sums(static_cast<std::size_t>(count));
  for (const auto& [letter, size] : sizes) place[letter] = 0;
  while (true) {
    double product = 1;
    for (const Operand& operand : operands) product *= operand.at(place);
    std::int64_t index = 0;
    for (const char letter : result) index = index * sizes[letter] + place[letter];
    sums[static_cast<std::size_t>(index)] += product;
    auto letter = place.begin();
    for (; letter != place.end() && ++letter->second == sizes[letter->first]; ++letter)
      letter->second = 0;
    if (letter == place.end()) return sums;
  }
}

// Runs `equation`; the operands' letters and the result's are those of the equation with its
// ellipses written out.
void check(const std::string& equation, std::vector<Operand> operands, const std::string& result,
           const Extents& shape) {
  CAPTURE(equation);
  OnnxBuilder builder(13);
  std::vector<std::string> names;
  std::vector<std::vector<float>> values;
  for (std::size_t index = 0; index < operands.size(); ++index) {
    std::int64_t count = 1;
    for (const std::int64_t extent : operands[index].extents) count *= extent;
    operands[index].values = ramp(count, index == 0 ? -1.0F : 0.5F, index == 0 ? 0.25F : -0.125F);
    names.push_back("x" + std::to_string(index));
    builder.input(names.back(), operands[index].extents);
    values.push_back(operands[index].values);
  }
  builder.node("Einsum", names, {"y"}, {attribute("equation", equation.c_str())}).output("y");
  check_values(builder, values, shape, write_out(operands, result));
}

}  // namespace

TEST_CASE("one operand: transpositions, sums, diagonals") {
  check("ij->ji", {{"ij", {2, 3}, {}}}, "ji", {3, 2});
  check("ij->i", {{"ij", {2, 3}, {}}}, "i", {2});
  check("ij", {{"ij", {2, 3}, {}}}, "ij", {2, 3});
  check("ba", {{"ba", {2, 3}, {}}}, "ab", {3, 2});
  check("...ii->...i", {{"Zii", {2, 3, 3}, {}}}, "Zi", {2, 3});
  check("ii->", {{"ii", {3, 3}, {}}}, "", {});
  check("iji", {{"iji", {3, 2, 3}, {}}}, "j", {2});
}

TEST_CASE("two operands: products of every kind") {
  check("ij,jk->ik", {{"ij", {2, 3}, {}}, {"jk", {3, 5}, {}}}, "ik", {2, 5});
  check("ij,jk", {{"ij", {2, 3}, {}}, {"jk", {3, 5}, {}}}, "ik", {2, 5});
  check("bij, bjk -> bik", {{"bij", {5, 2, 3}, {}}, {"bjk", {5, 3, 7}, {}}}, "bik", {5, 2, 7});
  check("i,i", {{"i", {5}, {}}, {"i", {5}, {}}}, "", {});
  check("i,j->ji", {{"i", {5}, {}}, {"j", {3}, {}}}, "ji", {3, 5});
  // Attention's products, with the heads between.
  check("bqhd,bkhd->bhqk", {{"bqhd", {2, 3, 5, 7}, {}}, {"bkhd", {2, 4, 5, 7}, {}}}, "bhqk",
        {2, 5, 3, 4});
  check("bhqk,bkhd->bqhd", {{"bhqk", {2, 5, 3, 4}, {}}, {"bkhd", {2, 4, 5, 7}, {}}}, "bqhd",
        {2, 3, 5, 7});
  // A letter that one operand alone has is summed first.
  check("ija,jk->ik", {{"ija", {2, 3, 4}, {}}, {"jk", {3, 5}, {}}}, "ik", {2, 5});
  check("...ij,...jk->...ik", {{"YZij", {2, 1, 2, 3}, {}}, {"Zjk", {4, 3, 5}, {}}}, "YZik",
        {2, 4, 2, 5});
  check("ij,ij->ij", {{"ij", {2, 3}, {}}, {"ij", {2, 3}, {}}}, "ij", {2, 3});
}

TEST_CASE("what is refused") {
  const auto refused = [](const std::string& equation, const std::vector<std::string>& inputs,
                          const char* words) {
    CAPTURE(equation);
    OnnxBuilder builder(13);
    builder.input("x", {2, 3}).input("y", {3, 5}).input("z", {5, 2});
    builder.node("Einsum", inputs, {"r"}, {attribute("equation", equation.c_str())}).output("r");
    const std::string sentence = builder.refusal();
    CAPTURE(sentence);
    CHECK(sentence.find(words) != std::string::npos);
  };
  refused("ij,jk,kl->il", {"x", "y", "z"}, "it has 3 operands");
  refused("ij,jk->ik", {"x"}, "does not fit its operands");
  refused("ijk->i", {"x"}, "names 3 axes");
  refused("ij->ik", {"x"}, "operands do not give");
  refused("ij->ii", {"x"}, "operands do not give");
  refused("ii->i", {"x"}, "diagonal");
  refused("i1->i", {"x"}, "signs that no equation has");
  refused("ij,ik->jk", {"x", "y"}, "differ in an extent");
}

}  // namespace figment::testing
