#include <gmock/gmock.h>

#include "unit/cli_table.hpp"

namespace tenfold::cli {
namespace {

using test::Table;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(CommandLine, NothingSaidLeavesTheDefaults) {
  Table table;
  const Resolved resolved = table.set({});
  EXPECT_EQ(table.targets.batch, 64);
  EXPECT_EQ(table.targets.reduce, "ordered");
  ASSERT_EQ(resolved.size(), table.options().size());
  for (std::size_t i = 0; i < resolved.size(); ++i) {
    EXPECT_EQ(resolved[i].key, table.options()[i].key);
    EXPECT_EQ(resolved[i].origin, "default");
  }
}

TEST(CommandLine, TakesAliasesKeysAndBothFormsOfValues) {
  Table table;
  const Resolved resolved = table.set({"--batch", "128", "--learning.gamma=0.5", "--reduce=fixed",
                                       "--run.dir", "runs/a", "--sigma", "+1.5e-3"});
  EXPECT_EQ(table.targets.batch, 128);
  EXPECT_EQ(table.targets.gamma, 0.5);
  EXPECT_EQ(table.targets.reduce, "fixed");
  EXPECT_EQ(table.targets.run_dir, "runs/a");
  EXPECT_EQ(table.targets.sigma, 1.5e-3);
  EXPECT_EQ(test::origin_of(resolved, "learning.batch"), "command line");
  EXPECT_EQ(test::origin_of(resolved, "learning.widths"), "default");
}

TEST(CommandLine, BooleansTakeEveryForm) {
  const std::vector<std::pair<std::vector<std::string>, bool>> forms{
      {{"--dry-run"}, true},
      {{"--dry-run=true"}, true},
      {{"--dry-run", "false"}, false},
      {{"--no-dry-run"}, false},
      {{"--dry-run=no"}, false},
      {{"--run.dry-run=1"}, true},
      {{"--no-run.dry-run"}, false},
      {{"--run.dry-run"}, true},
      {{"--dry-run", "--batch", "3"}, true}};
  for (const auto& [words, expected] : forms) {
    Table table;
    table.targets.dry_run = !expected;
    table.set(words);
    EXPECT_EQ(table.targets.dry_run, expected) << words.front();
  }
  Table table;
  table.set({"--no-target-nets"});
  EXPECT_FALSE(table.targets.target_nets);
}

TEST(CommandLine, ListsTakeBothSeparators) {
  for (const char* text : {"64x32x16", "64,32,16"}) {
    Table table;
    table.set({"--widths", text});
    EXPECT_THAT(table.targets.widths, ElementsAre(64, 32, 16));
  }
  Table table;
  table.set({"--widths", "7"});
  EXPECT_THAT(table.targets.widths, ElementsAre(7));
}

TEST(CommandLine, UnknownOptionsAreRefusedWithTheNearestName) {
  const Table table;
  EXPECT_THAT(table.refusal({"--bacth", "3"}),
              AllOf(HasSubstr("--bacth"), HasSubstr("Did you mean --batch?")));
  EXPECT_THAT(table.refusal({"--bacth=3"}),
              AllOf(HasSubstr("--bacth"), HasSubstr("Did you mean --batch?"), Not(HasSubstr("3"))));
  EXPECT_THAT(table.refusal({"--learning.gama=3"}), HasSubstr("Did you mean --learning.gamma?"));
  EXPECT_THAT(table.refusal({"--momentum", "3"}),
              AllOf(HasSubstr("--momentum"), Not(HasSubstr("mean")), HasSubstr("--help")));
  EXPECT_THAT(table.refusal({"--no-batch"}), HasSubstr("--no-batch"));
  EXPECT_THAT(table.refusal({"--" + std::string(100000, 'x')}).size(), ::testing::Lt(400U));
}

TEST(CommandLine, BeginningsOfNamesAreNotGuessed) {
  const Table table;
  EXPECT_THAT(table.refusal({"--batc", "3"}), AllOf(HasSubstr("--batc"), HasSubstr("--batch")));
  EXPECT_THAT(table.refusal({"--red=fast"}), HasSubstr("unknown option --red"));
  EXPECT_THAT(table.refusal({"--BATCH", "3"}), HasSubstr("unknown option --BATCH"));
}

TEST(CommandLine, StrayWordsAreRefusedByName) {
  const Table table;
  EXPECT_THAT(table.refusal({"--batch", "3", "paper.cfg"}), HasSubstr("stray word 'paper.cfg'"));
  EXPECT_THAT(table.refusal({"batch", "3"}),
              AllOf(HasSubstr("'batch'"), HasSubstr("Did you mean --batch?")));
  EXPECT_THAT(table.refusal({"-b", "3"}), HasSubstr("'-b'"));
  EXPECT_THAT(table.refusal({"--", "word"}), HasSubstr("'word'"));
  EXPECT_THAT(table.refusal({"--dry-run", "maybe"}), HasSubstr("'maybe'"));
}

TEST(CommandLine, MissingValuesAreRefused) {
  const Table table;
  EXPECT_THAT(table.refusal({"--batch"}), HasSubstr("--batch needs a value"));
  EXPECT_THAT(table.refusal({"--reduce", "--dry-run"}),
              AllOf(HasSubstr("--reduce needs a value"), HasSubstr("--dry-run")));
  EXPECT_THAT(table.refusal({"--note", "--typo"}), HasSubstr("--note needs a value"));
  EXPECT_THAT(table.refusal({"--batch="}), HasSubstr("--batch"));
  EXPECT_THAT(table.refusal({"--config"}), HasSubstr("--config needs a value"));
  EXPECT_THAT(table.refusal({"--config", ""}), HasSubstr("--config needs a file"));
  EXPECT_THAT(table.refusal({"--preset"}), HasSubstr("--preset needs a value"));
}

TEST(CommandLine, ValuesMayBeginWithADash) {
  Table table;
  table.set({"--note", "-1", "--run-dir=--odd"});
  EXPECT_EQ(table.targets.note, "-1");
  EXPECT_EQ(table.targets.run_dir, "--odd");
  EXPECT_THAT(table.refusal({"--sigma", "-1"}), AllOf(HasSubstr("--sigma"), HasSubstr("'-1'")));
}

TEST(CommandLine, RepeatsAreRefusedUnderEitherName) {
  const Table table;
  EXPECT_THAT(table.refusal({"--batch", "3", "--batch", "4"}),
              AllOf(HasSubstr("--batch is given twice"), HasSubstr("'3'"), HasSubstr("'4'")));
  EXPECT_THAT(table.refusal({"--batch=3", "--learning.batch=4"}), HasSubstr("twice"));
  EXPECT_THAT(table.refusal({"--dry-run", "--no-dry-run"}), HasSubstr("twice"));
  EXPECT_THAT(table.refusal({"--preset", "paper", "--preset", "wide"}), HasSubstr("twice"));
  EXPECT_THAT(table.refusal({"--config", "a", "--config", "b"}),
              HasSubstr("--config is given twice"));
}

TEST(CommandLine, ValuesOutsideTheirDomainAreRefusedWithIt) {
  const Table table;
  const auto says = [&](const std::string& flag, const std::string& value,
                        const std::string& domain) {
    EXPECT_THAT(table.refusal({flag, value}),
                AllOf(HasSubstr(flag), HasSubstr("'" + value + "'"), HasSubstr("from command line"),
                      HasSubstr(domain)));
  };
  for (const char* value : {"many", "0", "4097", "1.5", "3x", "", " 3", "1e400",
                            "99999999999999999999", "nan", "-3", "+-3", "0x10"}) {
    says("--batch", value, "an integer from 1 to 4096 (transitions)");
  }
  for (const char* value : {"nan", "inf", "-inf", "1e400", "1", "-0.1", "0.5junk", "half"}) {
    says("--gamma", value, "a finite number in [0, 1)");
  }
  for (const char* value : {"0", "-1", "nan", "inf"})
    says("--sigma", value, "a finite number above 0");
  for (const char* value : {"", "0", "4x", "x4", "4,,4", "4x4,4", "70000"}) {
    says("--widths", value, "a list of integers from 1 to 65536, as in 400x300");
  }
  says("--reduce", "orderd", "one of fast, ordered, fixed; did you mean 'ordered'?");
  EXPECT_THAT(table.refusal({"--dry-run=maybe"}),
              AllOf(HasSubstr("'maybe'"), HasSubstr("true or false")));
}

TEST(CommandLine, InputIsEchoedWithoutItsControlBytesAndCut) {
  const Table table;
  for (const std::string flag :
       {"--batch=", "--reduce=", "--preset=", "--config=", "--typo", "", "--help="}) {
    const std::string said = table.refusal({flag + "\x1b[2J\x9b" + std::string(5000, 'y')});
    EXPECT_EQ(said.find('\x1b'), said.npos) << flag;
    EXPECT_EQ(said.find('\x9b'), said.npos) << flag;
    EXPECT_THAT(said, HasSubstr("\\x1b[2J")) << flag;
    if (flag == "--config=") continue;  // paths stay whole
    EXPECT_LT(said.size(), 700U) << flag;
  }
}

TEST(CommandLine, TextsAreCompleteAndWinOverBadEnvironments) {
  const Table table;
  EXPECT_EQ(table.text({"--version"}), "Tenfold 0.1\n");
  EXPECT_EQ(table.text({"--list-tasks"}), "pendulum\n");
  EXPECT_EQ(table.text({"--version"}, {"TENFOLD_TYPO=1"}), "Tenfold 0.1\n");
  EXPECT_THAT(table.text({"--typo", "--help"}), HasSubstr("--batch"));
  EXPECT_THAT(table.refusal({"--version=3"}), HasSubstr("--version"));
  EXPECT_THAT(table.refusal({"--list-task"}), HasSubstr("--list-tasks"));
}

}  // namespace
}  // namespace tenfold::cli
