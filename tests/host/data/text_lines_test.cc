// Lines of text in a model's vocabulary.
#include "targets/host/data/text_lines.h"

#include "tests/host/data/files.h"
#include "tests/support/loaded_model.h"
#include "tests/support/text_model.h"

namespace figment::testing {
namespace {

using host::ExitCode;
using host::TextRole;
using Symbols = std::vector<std::int32_t>;

// The symbols "" (start and end), "a", "b", "é", "dd"; examples of 5.
struct WithVocabulary {
  WithVocabulary() { form.text = &model; }
  std::unique_ptr<host::DataSet> open(const std::string& text, TextRole role) const {
    write_text(folder / "lines.txt", text);
    return host::open_data_set(folder / "lines.txt", form, role);
  }

  AlignedMemory bytes = align_bytes(step_model());
  Model model = *Model::open(bytes.span());
  host::ExampleForm form = form_of({1, 5}, {}, DataType::kInt32);
  ScratchFolder folder;
};

}  // namespace

TEST_CASE("a line is shown after the start, and wanted before the end") {
  const WithVocabulary with;
  const std::string text =
      "ab\n\ndd\xc3\xa9"
      "a\r\nb";
  const auto shown = with.open(text, TextRole::kShown);
  CHECK(shown->count() == 3);
  CHECK(read_example<std::int32_t>(*shown, with.form, 0) == Symbols{0, 1, 2, 0, 0});
  CHECK(read_example<std::int32_t>(*shown, with.form, 1) == Symbols{0, 4, 3, 1, 0});
  CHECK(read_example<std::int32_t>(*shown, with.form, 2) == Symbols{0, 2, 0, 0, 0});
  const auto wanted = with.open(text, TextRole::kWanted);
  CHECK(read_example<std::int32_t>(*wanted, with.form, 0) == Symbols{1, 2, 0, -1, -1});
  CHECK(read_example<std::int32_t>(*wanted, with.form, 1) == Symbols{4, 3, 1, 0, -1});
}

TEST_CASE("a line that cannot be written is named") {
  const WithVocabulary with;
  const auto refuse = [&](const std::string& text, const std::string& words) {
    check_refused([&] { with.open(text, TextRole::kWanted); }, ExitCode::kBadArgument, words);
  };
  refuse("ab\naxb\n", "line 2 of " + (with.folder / "lines.txt") +
                          " cannot be written in the model's vocabulary from 'xb' on");
  refuse("d", "from 'd' on");
  refuse("a\nababa\n", "line 2 of " + (with.folder / "lines.txt") + " takes 6 symbols, but");
  refuse("\n\n", "holds no line of text");
}

TEST_CASE("text is for models that have a vocabulary") {
  WithVocabulary with;
  with.form.text = nullptr;
  check_refused([&] { with.open("ab\n", TextRole::kShown); }, ExitCode::kBadFile, "is no data");
}

}  // namespace figment::testing
