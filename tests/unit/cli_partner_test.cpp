#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "unit/base_folder.hpp"
#include "unit/cli_table.hpp"

namespace tenfold::cli {
namespace {

using test::Table;
using ::testing::AllOf;
using ::testing::HasSubstr;

// parallel.decay means something with --reduce fast or fixed only; the default is ordered.
class Partners : public test::TemporaryFolder {};

TEST_F(Partners, AnOptionAloneIsRefusedNamingBoth) {
  const Table table;
  EXPECT_THAT(table.refusal({"--decay", "0.25"}),
              AllOf(HasSubstr("--decay = '0.25' (from command line) changes nothing without "
                              "--reduce fast or fixed: parallel.reduce is 'ordered'"),
                    HasSubstr("Add --reduce fast or fixed, or leave --decay out")));
  EXPECT_THAT(table.refusal({"--reduce", "ordered"}, {"TENFOLD_PARALLEL__DECAY=0.25"}),
              AllOf(HasSubstr("parallel.decay"), HasSubstr("TENFOLD_PARALLEL__DECAY")));
  const std::string file = put("some.cfg", "[parallel]\ndecay = 0.25\n").string();
  EXPECT_THAT(table.refusal({"--config", file, "--print-config"}), HasSubstr("some.cfg:2"));
}

TEST_F(Partners, TogetherTheyAreTakenWhereverTheyAreSaid) {
  const std::string file = put("some.cfg", "[parallel]\ndecay = 0.25\n").string();
  Table table;
  table.set({"--config", file, "--reduce", "fast"});
  EXPECT_EQ(table.targets.decay, 0.25);
  Table other;
  other.set({"--decay", "0.75"}, {"TENFOLD_PARALLEL__REDUCE=fixed"});
  EXPECT_EQ(other.targets.decay, 0.75);
}

// A file that --print-config wrote, and a command of `tenfold rerun --all`, say every value.
TEST_F(Partners, ADefaultMayBeSaid) {
  Table table;
  table.set({"--decay", "0.50"});
  EXPECT_EQ(table.targets.decay, 0.5);
  const std::string file = put("all.cfg", table.text({"--print-config"})).string();
  table.set({"--config", file});
}

TEST_F(Partners, APresetIsNotTheUsersWord) {
  Table table;
  table.preset({"late", "with a late part", {{"parallel.decay", "0.125", "ours"}}});
  table.set({"--preset", "late", "--reduce", "fast"});
  EXPECT_EQ(table.targets.decay, 0.125);
  // Where it changes nothing it is not refused, and what --print-config says of it can be read
  // again.
  table.set({"--preset", "late"});
  EXPECT_EQ(table.targets.decay, 0.5);
  const std::string file =
      put("late.cfg", table.text({"--preset", "late", "--print-config"})).string();
  table.set({"--config", file});
  EXPECT_THAT(table.refusal({"--preset", "late", "--decay", "0.25"}), HasSubstr("--reduce"));
}

TEST_F(Partners, WithoutWordsAnyTextWillDo) {
  OptionTable table("plain", "");
  std::string folder;
  std::int64_t every = 60;
  table.group("checkpoint", "Checkpoints");
  table.add("checkpoint.local", &folder, "a folder");
  table.add("checkpoint.every", &every, "steps").only_with("checkpoint.local");
  EXPECT_EQ(table.parse({"--every", "5", "--local", "/x"}, {}).kind, Outcome::Kind::kRun);
  EXPECT_EQ(table.parse({"--every", "60"}, {}).kind, Outcome::Kind::kRun);
  try {
    table.parse({"--every", "5"}, {});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("changes nothing without --local. Add --local, or"));
  }
}

TEST_F(Partners, HelpManualPageAndToolsSayIt) {
  const Table table;
  EXPECT_THAT(table.text({"--help", "parallel"}), HasSubstr("only with"));
  EXPECT_THAT(table.text({"--print-man"}), HasSubstr("Only with \\-\\-reduce fast or fixed."));
  const auto options = nlohmann::json::parse(table.text({"--print-options"})).at("options");
  for (const auto& each : options) {
    EXPECT_EQ(each.at("only_with"),
              each.at("key") == "parallel.decay" ? "--reduce fast or fixed" : "");
  }
}

TEST(PartnerOfNothing, IsABug) {
  OptionTable table("plain", "");
  std::int64_t every = 60;
  table.group("checkpoint", "Checkpoints");
  table.add("checkpoint.every", &every, "steps").only_with("checkpoint.nothing");
  EXPECT_THROW(table.help_text("all"), base::Error);
}

}  // namespace
}  // namespace tenfold::cli
