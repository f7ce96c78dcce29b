// Parses the code of TorchScript archives.
#include "converter/import/torch/script_code.h"

#include <algorithm>
#include <cctype>

#include "converter/graph/graph.h"

namespace figment::converter {
namespace {

using Kind = ScriptExpression::Kind;

constexpr int kMaxDepth = 200;  // of expressions in expressions
constexpr std::size_t kMostParts = 4096;

struct Token {
  enum class Kind { kName, kNumber, kText, kSign, kLine, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;
  int indent = 0;  // of kLine: how many spaces the next line begins with

  bool is(std::string_view sign) const { return kind == Kind::kSign && text == sign; }
  bool is_word(std::string_view word) const { return kind == Kind::kName && text == word; }
};

bool begins_name(char letter) {
  return std::isalpha(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}
bool continues_name(char letter) {
  return begins_name(letter) || std::isdigit(static_cast<unsigned char>(letter)) != 0;
}

// Reads one token at a time.
class Lexer {
 public:
  Lexer(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  [[noreturn]] void refuse(const std::string& what) const {
    const auto line =
        1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    throw ConvertError(where_ + " has in line " + std::to_string(line) + " " + what +
                       ", which torch.jit.trace does not write; save what torch.jit.trace gives");
  }

  Token next() {
    while (at_ < text_.size()) {
      const char letter = text_[at_];
      if (letter == '\n') {
        ++at_;
        if (depth_ == 0) return line();
      } else if (letter == ' ' || letter == '\t' || letter == '\r') {
        ++at_;
      } else if (letter == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else {
        return token();
      }
    }
    return {};
  }

 private:
  // Blank lines count for nothing.
  Token line() {
    Token token;
    token.kind = Token::Kind::kLine;
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) {
      token.indent = text_[at_] == '\n' ? 0 : token.indent + 1;
      ++at_;
    }
    return token;
  }
  Token token() {
    Token token;
    const std::size_t start = at_;
    const char letter = text_[at_];
    const auto digit = [&](std::size_t at) {
      return at < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at])) != 0;
    };
    if (begins_name(letter)) {
      while (at_ < text_.size() && continues_name(text_[at_])) ++at_;
      token.kind = Token::Kind::kName;
    } else if (digit(at_) || (letter == '-' && digit(at_ + 1))) {
      ++at_;
      while (at_ < text_.size() &&
             (continues_name(text_[at_]) || text_[at_] == '.' ||
              ((text_[at_] == '-' || text_[at_] == '+') && (text_[at_ - 1] == 'e'))))
        ++at_;
      token.kind = Token::Kind::kNumber;
    } else if (letter == '"' || letter == '\'') {
      return quoted(letter);
    } else {
      token.kind = Token::Kind::kSign;
      at_ += text_.substr(at_, 2) == "->" ? 2 : 1;
      if (letter == '(' || letter == '[' || letter == '{') ++depth_;
      if ((letter == ')' || letter == ']' || letter == '}') && depth_ > 0) --depth_;
    }
    token.text = std::string(text_.substr(start, at_ - start));
    return token;
  }
  Token quoted(char quote) {
    Token token;
    token.kind = Token::Kind::kText;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      token.text += text_[at_];
    }
    if (at_ == text_.size()) refuse("a text without an end");
    ++at_;
    return token;
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
  int depth_ = 0;  // of brackets
};

class Parser {
 public:
  Parser(std::string_view text, const std::string& where) : lexer_(text, where) { take(); }

  ScriptCode parse() {
    int indent = 0;
    std::string type;  // the class around
    while (token_.kind != Token::Kind::kEnd) {
      if (token_.kind == Token::Kind::kLine) {
        indent = token_.indent;
        if (indent == 0) type.clear();
        take();
      } else if (token_.is_word("class")) {
        take();
        type = name() + ".";
        skip_line();
      } else if (token_.is_word("def")) {
        take();
        const std::string function = type + name();
        if (!code_.emplace(function, read_function(indent)).second)
          lexer_.refuse("the function '" + function + "' twice");
      } else {
        skip_line();  // an attribute's type
      }
    }
    return std::move(code_);
  }

 private:
  Token take() {
    Token before = std::move(token_);
    token_ = lexer_.next();
    return before;
  }
  bool accept(std::string_view sign) {
    if (!token_.is(sign)) return false;
    take();
    return true;
  }
  void expect(std::string_view sign) {
    if (!accept(sign)) lexer_.refuse("no '" + std::string(sign) + "' where one must be");
  }
  std::string name() {
    if (token_.kind != Token::Kind::kName) lexer_.refuse("no name where one must be");
    return take().text;
  }
  bool at_end() const {
    return token_.kind == Token::Kind::kLine || token_.kind == Token::Kind::kEnd;
  }
  void skip_line() {
    while (!at_end()) take();
  }

  // Up to a ',' or the closing bracket of the list around; spaces left out.
  std::string read_type() {
    std::string type;
    int depth = 0;
    while (!at_end() && (depth > 0 || (!token_.is(",") && !token_.is(")") && !token_.is("=")))) {
      if (token_.is("[") || token_.is("(")) ++depth;
      if (token_.is("]") || token_.is(")")) --depth;
      type += take().text;
    }
    return type;
  }

  ScriptFunction read_function(int indent) {
    ScriptFunction function;
    expect("(");
    while (!token_.is(")")) {
      ScriptFunction::Parameter parameter;
      parameter.name = name();
      if (accept(":")) parameter.type = read_type();
      if (accept("=")) expression();
      function.parameters.push_back(std::move(parameter));
      if (!accept(",")) break;
    }
    expect(")");
    skip_line();  // the result's type
    bool whole = true;
    while (token_.kind == Token::Kind::kLine && token_.indent > indent) {
      take();
      if (at_end()) continue;
      // What stands inside a control statement is never reached.
      if (!whole) {
        skip_line();
        continue;
      }
      function.body.push_back(statement());
      whole = function.body.back().kind != ScriptStatement::Kind::kControl;
    }
    return function;
  }

  ScriptStatement statement() {
    ScriptStatement made;
    static constexpr std::string_view kControl[] = {"if",   "for",    "while", "with", "try",
                                                    "else", "assert", "raise", "pass", "break"};
    for (const std::string_view word : kControl)
      if (token_.is_word(word)) {
        made.kind = ScriptStatement::Kind::kControl;
        made.word = word;
        skip_line();
        return made;
      }
    if (token_.is_word("return")) {
      take();
      made.kind = ScriptStatement::Kind::kReturn;
      made.value = at_end() ? none() : expression_list();
      return end(std::move(made));
    }
    ScriptExpression first = expression();
    if (token_.is(":")) {  // x: Tensor = ...
      take();
      while (!at_end() && !token_.is("=")) take();
    }
    std::vector<ScriptExpression> targets;
    targets.push_back(std::move(first));
    while (accept(",")) {
      made.takes_apart = true;
      if (token_.is("=")) break;
      targets.push_back(expression());
    }
    if (!accept("=")) {
      made.kind = ScriptStatement::Kind::kEvaluate;
      made.value = std::move(targets[0]);
      return end(std::move(made));
    }
    for (ScriptExpression& target : targets) {
      if (!target.is(Kind::kName)) lexer_.refuse("something other than a name that is set");
      made.targets.push_back(std::move(target.text));
    }
    made.value = expression_list();
    return end(std::move(made));
  }

  ScriptStatement end(ScriptStatement made) {
    if (!at_end()) lexer_.refuse("'" + token_.text + "' where the line must end");
    return made;
  }

  ScriptExpression none() {
    ScriptExpression made;
    made.text = "None";
    return made;
  }

  // a, b: a tuple without brackets
  ScriptExpression expression_list() {
    ScriptExpression first = expression();
    if (!token_.is(",")) return first;
    ScriptExpression list;
    list.kind = Kind::kList;
    list.parts.push_back(std::move(first));
    while (accept(","))
      if (!at_end()) add_part(list);
    list.parts.shrink_to_fit();
    return list;
  }

  // Reads one more of a list's or a call's parts.
  void add_part(ScriptExpression& whole) {
    if (whole.parts.size() == kMostParts) lexer_.refuse("a list that is too long");
    whole.parts.push_back(expression());
  }

  ScriptExpression expression() {
    if (++depth_ > kMaxDepth) lexer_.refuse("expressions that stand too deep in each other");
    ScriptExpression made = primary();
    // a.b.c(...) nests as deep as it is long.
    int length = 0;
    while (token_.is(".") || token_.is("(") || token_.is("[")) {
      if (++length > kMaxDepth) lexer_.refuse("an expression that is too long");
      made = extended(std::move(made));
    }
    --depth_;
    return made;
  }

  ScriptExpression primary() {
    ScriptExpression made;
    switch (token_.kind) {
      case Token::Kind::kName:
        made.text = take().text;
        return made;
      case Token::Kind::kNumber:
        made.kind = Kind::kNumber;
        made.text = take().text;
        return made;
      case Token::Kind::kText:
        made.kind = Kind::kText;
        made.text = take().text;
        return made;
      default:
        break;
    }
    if (token_.is("(") || token_.is("[")) return bracketed();
    lexer_.refuse("'" + token_.text + "' in an expression");
  }

  // [a, b], (a, b), (a,) and (a), which is a alone.
  ScriptExpression bracketed() {
    const bool round = token_.is("(");
    take();
    ScriptExpression list;
    list.kind = Kind::kList;
    bool comma = false;
    while (!token_.is(round ? ")" : "]")) {
      add_part(list);
      if (!accept(",")) break;
      comma = true;
    }
    list.parts.shrink_to_fit();
    expect(round ? ")" : "]");
    if (round && !comma && list.parts.size() == 1) {
      ScriptExpression inner = std::move(list.parts[0]);
      return inner;
    }
    return list;
  }

  ScriptExpression extended(ScriptExpression object) {
    ScriptExpression made;
    if (accept(".")) {
      made.kind = Kind::kAttribute;
      made.text = name();
      made.parts.push_back(std::move(object));
    } else if (accept("[")) {
      made.kind = Kind::kIndex;
      made.parts.push_back(std::move(object));
      made.parts.push_back(expression());
      expect("]");
    } else {
      expect("(");
      made.kind = Kind::kCall;
      made.parts.push_back(std::move(object));
      while (!token_.is(")")) {
        add_part(made);
        if (accept("=")) {
          ScriptExpression& argument = made.parts.back();
          if (!argument.is(Kind::kName)) lexer_.refuse("an argument whose name is none");
          made.keywords.resize(made.parts.size() - 1);
          made.keywords.back() = std::move(argument.text);
          argument = expression();
        }
        if (!accept(",")) break;
      }
      if (!made.keywords.empty()) made.keywords.resize(made.parts.size() - 1);
      made.parts.shrink_to_fit();
      expect(")");
    }
    return made;
  }

  Lexer lexer_;
  Token token_;
  ScriptCode code_;
  int depth_ = 0;
};

}  // namespace

ScriptCode parse_script(std::string_view text, const std::string& where) {
  return Parser(text, where).parse();
}

}  // namespace figment::converter
