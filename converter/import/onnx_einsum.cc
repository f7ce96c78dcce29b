// Einsum of one or two operands, as transpositions, sums and one matrix product.
//
// Letters of two operands fall into four kinds: in both and in the result (batch), in both and not
// in the result (contracted), and in one alone (rows of the first, columns of the second). With
// each operand put in the order of its kinds, the result is a product [batch, rows, contracted] x
// [batch, contracted, columns]. Letters that only one operand has and the result has not are summed
// before.
#include <algorithm>
#include <numeric>

#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

// A tensor with a letter for each of its axes.
struct Term {
  TensorId tensor;
  std::string letters;
};

// Axes under "..." get letters that no equation can have, the last axis '9', the one before '8'.
std::string expand_ellipsis(const OnnxNode& node, const std::string& letters, int rank) {
  const std::size_t dots = letters.find("...");
  const int named = static_cast<int>(letters.size()) - (dots != std::string::npos ? 3 : 0);
  if (dots == std::string::npos ? named != rank : named > rank || rank - named > 9)
    node.refuse("its equation names " + std::to_string(named) + " axes of an operand that has " +
                std::to_string(rank));
  if (dots == std::string::npos) return letters;
  std::string broadcast;
  for (int axis = rank - named; axis > 0; --axis) broadcast += static_cast<char>('9' - axis + 1);
  return letters.substr(0, dots) + broadcast + letters.substr(dots + 3);
}

bool has(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

int extent_of(const OnnxNode& node, const Term& term, char letter) {
  const std::size_t axis = term.letters.find(letter);
  return axis == std::string::npos ? 1 : node.shape(term.tensor)[static_cast<int>(axis)];
}

Term permuted(OnnxNode& node, const Term& term, const std::string& letters) {
  std::vector<int> permutation;
  for (const char letter : letters)
    permutation.push_back(static_cast<int>(term.letters.find(letter)));
  return {node.transpose(term.tensor, permutation), letters};
}

// A letter that stands twice names a diagonal: of the two axes put side by side and made one, it is
// every (extent + 1)th element.
Term take_diagonals(OnnxNode& node, Term term) {
  for (std::size_t first = 0; first < term.letters.size(); ++first) {
    const std::size_t second = term.letters.find(term.letters[first], first + 1);
    if (second == std::string::npos) continue;
    const Shape shape = node.shape(term.tensor);
    const int extent = shape[static_cast<int>(first)];
    if (extent != shape[static_cast<int>(second)])
      node.refuse("its equation takes a diagonal of axes that differ in extent");
    std::vector<int> order;
    std::string letters;
    std::vector<std::int64_t> extents;
    for (std::size_t axis = 0; axis < term.letters.size(); ++axis) {
      if (axis == first || axis == second) continue;
      order.push_back(static_cast<int>(axis));
      letters += term.letters[axis];
      extents.push_back(shape[static_cast<int>(axis)]);
    }
    order.push_back(static_cast<int>(first));
    order.push_back(static_cast<int>(second));
    extents.push_back(std::int64_t{extent} * extent);
    const TensorId flat = node.reshape_to(node.transpose(term.tensor, order), extents);
    format::SliceT options;
    options.starts.assign(extents.size(), 0);
    options.sizes.assign(extents.size(), -1);
    options.steps.assign(extents.size(), 1);
    options.steps.back() = extent + 1;
    letters += term.letters[first];
    return take_diagonals(node, {node.emit(std::move(options), {flat}), letters});
  }
  return term;
}

// Sums over the letters that `kept` does not have.
Term summed(OnnxNode& node, const Term& term, const std::string& kept) {
  format::ReduceT options;
  options.function = format::ReduceFunction::Sum;
  std::string letters;
  for (std::size_t axis = 0; axis < term.letters.size(); ++axis) {
    if (has(kept, term.letters[axis]))
      letters += term.letters[axis];
    else
      options.axes.push_back(static_cast<int>(axis));
  }
  if (options.axes.empty()) return term;
  return {node.emit(std::move(options), {term.tensor}), letters};
}

std::int64_t product_of(const std::vector<std::int64_t>& extents) {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
}

// The product of two terms whose letters the result has, or both have; letters of the result in the
// order batch, rows, columns.
Term multiplied(OnnxNode& node, const Term& left, const Term& right, const std::string& result) {
  std::string batch, contracted, rows, columns;
  for (const char letter : left.letters) {
    if (!has(right.letters, letter))
      rows += letter;
    else
      (has(result, letter) ? batch : contracted) += letter;
  }
  for (const char letter : right.letters)
    if (!has(left.letters, letter)) columns += letter;

  std::vector<std::int64_t> left_batch, right_batch, result_extents;
  const auto extents = [&](const Term& term, const std::string& letters) {
    std::vector<std::int64_t> list;
    for (const char letter : letters) list.push_back(extent_of(node, term, letter));
    return list;
  };
  for (const char letter : batch) {
    left_batch.push_back(extent_of(node, left, letter));
    right_batch.push_back(extent_of(node, right, letter));
    result_extents.push_back(std::max(left_batch.back(), right_batch.back()));
  }
  const std::vector<std::int64_t> inner = extents(left, contracted);
  if (inner != extents(right, contracted))
    node.refuse("its operands differ in an extent that the equation sums over");
  const std::vector<std::int64_t> row_extents = extents(left, rows);
  const std::vector<std::int64_t> column_extents = extents(right, columns);
  const auto matrices = [&](const Term& term, const std::string& order,
                            std::vector<std::int64_t> shape, std::int64_t height,
                            std::int64_t width) {
    shape.push_back(height);
    shape.push_back(width);
    return node.reshape_to(permuted(node, term, order).tensor, shape);
  };
  const TensorId a = matrices(left, batch + rows + contracted, left_batch, product_of(row_extents),
                              product_of(inner));
  const TensorId b = matrices(right, batch + contracted + columns, right_batch, product_of(inner),
                              product_of(column_extents));
  result_extents.insert(result_extents.end(), row_extents.begin(), row_extents.end());
  result_extents.insert(result_extents.end(), column_extents.begin(), column_extents.end());
  return {node.reshape_to(node.emit(format::MatMulT{}, {a, b}), result_extents),
          batch + rows + columns};
}

// "ij,jk" -> {"ij", "jk"}
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts{""};
  for (const char letter : text) {
    if (letter == ',')
      parts.emplace_back();
    else
      parts.back() += letter;
  }
  return parts;
}

// What the equation leaves out: the broadcast axes, then the letters that stand once, in
// alphabetical order.
std::string implied_result(std::string all) {
  std::ranges::sort(all);
  std::string result;
  for (const char letter : all) {
    const bool broadcast = letter <= '9';
    if (broadcast ? !has(result, letter) : std::ranges::count(all, letter) == 1) result += letter;
  }
  return result;
}

void einsum(OnnxNode& node) {
  std::string equation = node.text("equation", "");
  std::erase(equation, ' ');
  if (equation.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,->") !=
      std::string::npos)
    node.refuse("its equation '" + equation +
                "' has signs that no equation has; the file is damaged");
  const std::size_t arrow = equation.find("->");
  const std::vector<std::string> sides = split(equation.substr(0, arrow));
  if (sides.size() > 2)
    node.refuse("it has " + std::to_string(sides.size()) +
                " operands, but only one or two are supported; write it as a chain of products");
  if (static_cast<int>(sides.size()) != node.input_count())
    node.refuse("its equation '" + equation + "' does not fit its operands; the file is damaged");
  std::vector<Term> terms;
  std::string all, broadcast;
  for (std::size_t index = 0; index < sides.size(); ++index) {
    const TensorId x = node.input(static_cast<int>(index));
    Term term{x, expand_ellipsis(node, sides[index], node.rank(x))};
    all += term.letters;
    for (const char letter : term.letters)
      if (letter <= '9' && !has(broadcast, letter)) broadcast += letter;
    terms.push_back(take_diagonals(node, std::move(term)));
  }
  std::ranges::sort(broadcast);
  std::string result;
  if (arrow == std::string::npos) {
    result = implied_result(all);
  } else {
    result = equation.substr(arrow + 2);
    if (const std::size_t dots = result.find("..."); dots != std::string::npos)
      result.replace(dots, 3, broadcast);
  }
  for (const char letter : result)
    if (std::ranges::none_of(terms, [&](const Term& term) { return has(term.letters, letter); }) ||
        std::ranges::count(result, letter) != 1)
      node.refuse("its equation '" + equation +
                  "' has a result that its operands do not give; "
                  "the file is damaged");

  Term term = summed(node, terms[0], terms.size() == 2 ? result + terms[1].letters : result);
  if (terms.size() == 2)
    term = multiplied(node, term, summed(node, terms[1], result + terms[0].letters), result);
  node.set_output(0, permuted(node, term, result).tensor);
}

constexpr OnnxOperator kRows[] = {
    {"Einsum", einsum},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxEinsum = kRows;

}  // namespace figment::converter
