#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "unit/base_folder.hpp"
#include "unit/cli_table.hpp"

namespace tenfold::cli {
namespace {

using test::Table;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t widest(const std::string& text) {
  std::size_t width = 0;
  for (const std::string& line : base::split(text, '\n')) width = std::max(width, line.size());
  return width;
}

TEST(Help, ShowsCommonOptionsWithDefaultsAndUnits) {
  const Table table;
  const std::string text = table.text({"--help"});
  EXPECT_EQ(table.text({"-h"}), text);
  EXPECT_EQ(table.text({"--help", "--batch", "0"}), text);
  EXPECT_THAT(text,
              AllOf(HasSubstr("ddpg: deep deterministic"), HasSubstr("mpirun -n RANKS ddpg"),
                    HasSubstr("--batch N"), HasSubstr("transitions per update [64 transitions]"),
                    HasSubstr("(fast, ordered, fixed)\n                          [ordered]")));
  EXPECT_THAT(text, AllOf(HasSubstr("--config"), HasSubstr("--preset"), HasSubstr("--print-config"),
                          HasSubstr("--version"), HasSubstr("--list-tasks"),
                          HasSubstr("--help [all|GROUP]")));
  EXPECT_THAT(text, Not(HasSubstr("--gamma")));
  EXPECT_LE(widest(text), 80U);
}

TEST(Help, EndsWithExitCodesAndWhereToFindMore) {
  const std::string text = Table().text({"--help"});
  const std::string end = text.substr(text.size() > 400 ? text.size() - 400 : 0);
  for (const char* code : {"0 done", "1 bug", "2 usage", "3 bad input data", "4 I/O", "5 numeric",
                           "75 stopped", "124 watchdog"}) {
    EXPECT_THAT(end, HasSubstr(code));
  }
  EXPECT_THAT(end, AllOf(HasSubstr("More: --help all"), EndsWith(".\n")));
}

TEST(Help, AllShowsEveryOptionWithItsDomain) {
  const Table table;
  const std::string text = table.text({"--help", "all"});
  for (const Option& option : table.options()) EXPECT_THAT(text, HasSubstr("--" + option.alias));
  EXPECT_THAT(text,
              AllOf(HasSubstr("in files run.dir"), HasSubstr("TENFOLD_GROUP__NAME"),
                    HasSubstr("--print-options"), HasSubstr("[0.99; a finite number in [0, 1)]")));
  EXPECT_LE(widest(text), 80U);
}

TEST(Help, GroupsStandAlone) {
  const std::string text = Table().text({"--help", "learning"});
  EXPECT_THAT(text, AllOf(HasSubstr("--gamma"), HasSubstr("--batch"), Not(HasSubstr("--run-dir"))));
  EXPECT_EQ(Table().text({"--help=learning"}), text);
}

TEST(Help, PresetsShowTheSourceOfEachValue) {
  const std::string text = Table().text({"--help", "preset"});
  EXPECT_THAT(text, AllOf(HasSubstr("--preset paper: the paper's setting"),
                          HasSubstr("learning.batch = 32"), HasSubstr("section 7"),
                          HasSubstr("--preset wide")));
  EXPECT_LE(widest(text), 80U);
}

TEST(Help, UnknownTopicsAreRefused) {
  const Table table;
  EXPECT_THAT(table.refusal({"--help", "lerning"}),
              AllOf(HasSubstr("lerning"), HasSubstr("Did you mean --help learning?")));
  EXPECT_THAT(table.refusal({"--help", "everything"}),
              AllOf(HasSubstr("everything"), HasSubstr("all, run, learning, parallel, preset")));
}

TEST(Help, LongWordsAndTextsKeepTheWidth) {
  OptionTable table("plain", std::string("a summary ") +
                                 "of many words that go on and on beyond the end of a line");
  std::string text = "x";
  table.group("run", "Run");
  table
      .add("run.an-option-with-a-name-that-is-very-long", &text,
           "a description that has to be broken over several lines because it does not fit into "
           "one of them")
      .common();
  EXPECT_LE(widest(table.help_text("")), 80U);
  EXPECT_LE(widest(table.help_text("all")), 80U);
}

TEST(PrintOptions, IsTheTableAsJson) {
  const Table table;
  const auto json = nlohmann::json::parse(table.text({"--print-options"}));
  EXPECT_EQ(json["program"], "ddpg");
  ASSERT_EQ(json["options"].size(), table.options().size());
  const auto& batch = json["options"][3];
  EXPECT_EQ(batch["key"], "learning.batch");
  EXPECT_EQ(batch["flag"], "--batch");
  EXPECT_EQ(batch["default"], "64");
  EXPECT_EQ(batch["unit"], "transitions");
  EXPECT_EQ(batch["takes"], "an integer from 1 to 4096 (transitions)");
  EXPECT_EQ(batch["affects_results"], true);
  EXPECT_EQ(json["options"][0]["affects_results"], false);
  EXPECT_EQ(json["options"].back()["choices"], nlohmann::json({"fast", "ordered", "fixed"}));
  EXPECT_EQ(json["presets"]["paper"]["learning.batch"]["source"], "section 7");
}

class Completion : public test::TemporaryFolder {
 protected:
  // What bash offers for the last of the words.
  std::string offered(const std::string& words, int last) {
    put("script", Table().completion("bash") + "COMP_WORDS=(" + words + "); COMP_CWORD=" +
                      std::to_string(last) + "; _tenfold_ddpg; echo \"${COMPREPLY[*]}\" > " +
                      (folder_ / "out").string() + "\n");
    const std::string command = "bash " + (folder_ / "script").string();
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream file(folder_ / "out");
    std::string text;
    std::getline(file, text);
    return text;
  }
};

TEST_F(Completion, OffersFlagsAndWords) {
  EXPECT_EQ(offered("ddpg --ba", 1), "--batch");
  EXPECT_EQ(offered("ddpg --reduce ''", 2), "fast ordered fixed");
  EXPECT_EQ(offered("ddpg --reduce f", 2), "fast fixed");
  EXPECT_EQ(offered("ddpg --preset p", 2), "paper");
  EXPECT_EQ(offered("ddpg --help l", 2), "learning");
  EXPECT_EQ(offered("ddpg --list", 1), "--list-tasks");
}

TEST_F(Completion, KnowsTwoShells) {
  EXPECT_THAT(Table().completion("zsh"), HasSubstr("bashcompinit"));
  EXPECT_THROW(Table().completion("fish"), base::Error);
}

}  // namespace
}  // namespace tenfold::cli
