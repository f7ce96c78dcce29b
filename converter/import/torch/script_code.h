// The code of a TorchScript archive: the little of Python that torch.jit.save writes.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace figment::converter {

struct ScriptExpression {
  enum class Kind {
    kName,       // text
    kNumber,     // text, as written
    kText,       // text
    kList,       // parts; tuples too
    kAttribute,  // parts[0].text
    kIndex,      // parts[0][parts[1]]
    kCall        // parts[0](parts[1], ...); keywords[i] of parts[i + 1], empty: by position
  };
  Kind kind = Kind::kName;
  std::string text;
  std::vector<ScriptExpression> parts;
  std::vector<std::string> keywords;  // none: all arguments stand by position

  bool is(Kind wanted) const { return kind == wanted; }
};

struct ScriptStatement {
  enum class Kind {
    kAssign,  // targets = value; several targets take a tuple apart
    kEvaluate,
    kReturn,
    kControl  // if, for, while, ...: word
  };
  Kind kind = Kind::kAssign;
  std::vector<std::string> targets;
  bool takes_apart = false;  // "a, = x"
  ScriptExpression value;
  std::string_view word;
};

struct ScriptFunction {
  struct Parameter {
    std::string name, type;  // type as written, without spaces; empty: none
  };
  std::vector<Parameter> parameters;
  std::deque<ScriptStatement> body;  // which grows without being copied
};

// The functions of one file of code: "forward", or "Conv2d.forward" of a class.
using ScriptCode = std::map<std::string, ScriptFunction>;

// Throws ConvertError; `where` names the file for messages.
ScriptCode parse_script(std::string_view text, const std::string& where);

}  // namespace figment::converter
