#include <gmock/gmock.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "unit/base_folder.hpp"
#include "unit/cli_table.hpp"

namespace tenfold::cli {
namespace {

using test::Table;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Config : public test::TemporaryFolder {
 protected:
  Resolved set(Table& table, const std::string& text) {
    return table.set({"--config", put("some.cfg", text).string()});
  }
  std::string refusal(const std::string& text) {
    return Table().refusal({"--config", put("some.cfg", text).string()});
  }
};

TEST_F(Config, SectionsWholeKeysAndComments) {
  Table table;
  const Resolved resolved = set(table,
                                "# a comment\n"
                                "parallel.reduce = fixed\n"
                                "\n"
                                "  [learning]   # of the critic\n"
                                "batch=32\n"
                                "  gamma  =  0.5  # per step\r\n"
                                "run.note = two words\n"
                                "[run]\n"
                                "dry-run = true");
  EXPECT_EQ(table.targets.reduce, "fixed");
  EXPECT_EQ(table.targets.batch, 32);
  EXPECT_EQ(table.targets.gamma, 0.5);
  EXPECT_EQ(table.targets.note, "two words");
  EXPECT_TRUE(table.targets.dry_run);
  EXPECT_EQ(test::origin_of(resolved, "learning.gamma"), (folder_ / "some.cfg").string() + ":6");
}

TEST_F(Config, QuotesKeepWhatWouldBeLost) {
  Table table;
  set(table, "[run]\nnote = \" a # b \\\"c\\\" \\\\ \\n\"  # really\ndir = \"\"\n");
  EXPECT_EQ(table.targets.note, " a # b \"c\" \\ \n");
  EXPECT_EQ(table.targets.run_dir, "");
  EXPECT_THAT(refusal("[run]\nnote = \"open\n"),
              AllOf(HasSubstr("some.cfg:2"), HasSubstr("quote is not closed")));
  EXPECT_THAT(refusal("[run]\nnote = \"a\" b\n"),
              AllOf(HasSubstr("some.cfg:2"), HasSubstr("'b' follows")));
}

TEST_F(Config, AMarkForUtf8IsNoKey) {
  Table table;
  set(table, "\xEF\xBB\xBF[learning]\nbatch = 32\n");
  EXPECT_EQ(table.targets.batch, 32);
}

TEST_F(Config, UnknownKeysAreRefusedWithFileLineAndNearestName) {
  EXPECT_THAT(refusal("[learning]\n\nbacth = 3\n"),
              AllOf(HasSubstr((folder_ / "some.cfg").string() + ":3"),
                    HasSubstr("'learning.bacth'"), HasSubstr("Did you mean learning.batch?")));
  EXPECT_THAT(refusal("batch = 3\n"), AllOf(HasSubstr("'batch'"), HasSubstr("learning.batch")));
  EXPECT_THAT(refusal("[run]\nrun-dir = x\n"),
              AllOf(HasSubstr("'run.run-dir'"), HasSubstr("run.dir")));
  EXPECT_THAT(refusal("[lerning]\n"), AllOf(HasSubstr("some.cfg:1"), HasSubstr("[lerning]"),
                                            HasSubstr("Did you mean learning?")));
  EXPECT_THAT(refusal("[learning]\ngroup.batch = 3\n"), HasSubstr("unknown key 'group.batch'"));
}

TEST_F(Config, MalformedLinesAreRefusedWithFileAndLine) {
  EXPECT_THAT(refusal("[learning]\nbatch 3\n"),
              AllOf(HasSubstr("some.cfg:2"), HasSubstr("'batch 3'")));
  EXPECT_THAT(refusal("[learning\nbatch = 3\n"),
              AllOf(HasSubstr("some.cfg:1"), HasSubstr("lacks its ]")));
  EXPECT_THAT(refusal("[learning]\nbatch =\n"),
              AllOf(HasSubstr("some.cfg:2"), HasSubstr("has no value")));
  EXPECT_THAT(refusal("[learning]\nbatch = # 3\n"), HasSubstr("has no value"));
  EXPECT_THAT(refusal("[learning]\nbatch # = 3\n"), HasSubstr("neither"));
  EXPECT_THAT(refusal("[learning]\n= 3\n"), HasSubstr("some.cfg:2"));
}

TEST_F(Config, RepeatsAreRefusedWithBothLines) {
  EXPECT_THAT(refusal("[learning]\nbatch = 3\nbatch = 4\n"),
              AllOf(HasSubstr("some.cfg:3"), HasSubstr("learning.batch"), HasSubstr("some.cfg:2")));
  EXPECT_THAT(refusal("learning.batch = 3\n[learning]\nbatch = 3\n"), HasSubstr("already set"));
}

TEST_F(Config, BadValuesNameFileAndLine) {
  EXPECT_THAT(refusal("[learning]\ngamma = 2\n"),
              AllOf(HasSubstr("learning.gamma = '2'"),
                    HasSubstr((folder_ / "some.cfg").string() + ":2"), HasSubstr("[0, 1)")));
  // A bad value is refused even where something stronger hides it.
  const std::string path = put("some.cfg", "[learning]\nbatch = 0\n").string();
  EXPECT_THAT(Table().refusal({"--config", path, "--batch", "3"}), HasSubstr("some.cfg:2"));
}

TEST_F(Config, FilesThatAreNoneAreRefused) {
  const Table table;
  EXPECT_THAT(table.refusal({"--config", (folder_ / "missing.cfg").string()}),
              AllOf(HasSubstr("--config"), HasSubstr("missing.cfg"), HasSubstr("No such file")));
  EXPECT_THAT(table.refusal({"--config", folder_.string()}),
              AllOf(HasSubstr(folder_.string()), HasSubstr("not a regular file")));
  EXPECT_THAT(table.refusal({"--config", put("big", std::string((1U << 20) + 1, '#')).string()}),
              HasSubstr("larger than 1.0 MB"));
}

TEST_F(Config, BinaryIsRefusedAndEchoedHarmlessly) {
  const std::string said = refusal(std::string("\x7f"
                                               "ELF\0\x1b[2J\x07\xff",
                                               12) +
                                   std::string(90000, '\x01'));
  EXPECT_THAT(said, AllOf(HasSubstr("some.cfg:1"), HasSubstr("\\x1b")));
  EXPECT_EQ(said.find('\x1b'), said.npos);
  EXPECT_LT(said.size(), 1500U);
}

// What --print-config prints, given back, sets every target to the same value.
TEST_F(Config, PrintedConfigsReproduceEveryValue) {
  const std::vector<std::string> said{"--preset",         "paper",    "--sigma", "0.1",
                                      "--no-target-nets", "--widths", "7,5",     "--run-dir",
                                      "runs/#1 a\\b"};
  for (const std::string note :
       {"", "plain", " blanks ", "a # b", "\"quoted\"", "back\\slash", "[x]", "a=b",
        "\ttab\nline\r", "\"", "\\", "Gr\xC3\xBC\xC3\x9F\x65"}) {
    Table first;
    std::vector<std::string> arguments = said;
    arguments.insert(arguments.end(), {"--note", note});
    const Resolved resolved = first.set(arguments, {"TENFOLD_PARALLEL__REDUCE=fixed"});
    arguments.emplace_back("--print-config");
    const std::string printed = first.text(arguments, {"TENFOLD_PARALLEL__REDUCE=fixed"});

    Table second;
    const Resolved again = set(second, printed);
    ASSERT_EQ(again.size(), resolved.size());
    for (std::size_t i = 0; i < again.size(); ++i) {
      EXPECT_EQ(again[i].value, resolved[i].value) << again[i].key;
      EXPECT_THAT(again[i].origin, HasSubstr("some.cfg:")) << again[i].key;
    }
    EXPECT_EQ(second.targets.note, note);
    EXPECT_EQ(second.targets.run_dir, "runs/#1 a\\b");
    EXPECT_EQ(second.targets.batch, 32);
    EXPECT_EQ(second.targets.widths, (std::vector<std::int64_t>{7, 5}));
    EXPECT_FALSE(second.targets.target_nets);
  }
}

TEST_F(Config, PrintedConfigsSayWhereEachValueIsFrom) {
  const Table table;
  const std::string path = put("some.cfg", "[run]\npreset = paper\nnote = x\n").string();
  const std::string printed = table.text({"--sigma", "0.1", "--config", path, "--print-config"},
                                         {"TENFOLD_PARALLEL__REDUCE=fixed"});
  const auto has = [&](const std::string& value, const std::string& origin) {
    for (const std::string& line : base::split(printed, '\n')) {
      if (line.rfind(value, 0) != 0) continue;
      EXPECT_THAT(line, HasSubstr("# " + origin));
      return;
    }
    ADD_FAILURE() << value << " is not in\n" << printed;
  };
  has("sigma = 0.1 ", "command line");
  has("reduce = fixed ", "environment TENFOLD_PARALLEL__REDUCE");
  has("note = x ", path + ":3");
  has("batch = 32 ", "preset paper: section 7");
  has("widths = 400x300 ", "default");
}

TEST_F(Config, PrintingRefusesWhatARunWouldRefuse) {
  EXPECT_THAT(Table().refusal({"--print-config", "--batch", "0"}), HasSubstr("from 1 to 4096"));
}

}  // namespace
}  // namespace tenfold::cli
