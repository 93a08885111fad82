#include <gmock/gmock.h>

#include "unit/base_folder.hpp"
#include "unit/cli_table.hpp"

namespace tenfold::cli {
namespace {

using test::Table;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Precedence : public test::TemporaryFolder {};

// learning.batch is said by ever fewer of the sources; the strongest left must win.
TEST_F(Precedence, LineThenEnvironmentThenFileThenPresetThenDefault) {
  const std::string file = put("some.cfg", "[learning]\nbatch = 200\n").string();
  const std::string other = put("other.cfg", "[run]\nnote = x\n").string();
  const std::vector<std::string> variable{"TENFOLD_LEARNING__BATCH=300"};
  const auto batch = [&](const std::vector<std::string>& words,
                         const std::vector<std::string>& environment) {
    Table table;
    table.set(words, environment);
    return table.targets.batch;
  };
  EXPECT_EQ(batch({"--config", file, "--preset", "paper", "--batch", "400"}, variable), 400);
  EXPECT_EQ(batch({"--config", file, "--preset", "paper"}, variable), 300);
  EXPECT_EQ(batch({"--config", file, "--preset", "paper"}, {}), 200);
  EXPECT_EQ(batch({"--config", other, "--preset", "paper"}, {}), 32);
  EXPECT_EQ(batch({"--config", other}, {}), 64);
}

TEST_F(Precedence, PresetsCanBeNamedAnywhereAndTheStrongestNameWins) {
  const std::string file = put("some.cfg", "[run]\npreset = paper\n").string();
  Table by_file;
  const Resolved resolved = by_file.set({"--config", file});
  EXPECT_EQ(by_file.targets.batch, 32);
  EXPECT_EQ(test::origin_of(resolved, "learning.batch"), "preset paper: section 7");

  Table by_variable;
  by_variable.set({"--config", file}, {"TENFOLD_RUN__PRESET=wide"});
  EXPECT_EQ(by_variable.targets.batch, 64);
  EXPECT_EQ(by_variable.targets.widths, std::vector<std::int64_t>{1024});

  Table by_line;
  by_line.set({"--config", file, "--run.preset=paper"}, {"TENFOLD_RUN__PRESET=wide"});
  EXPECT_EQ(by_line.targets.batch, 32);
}

TEST_F(Precedence, UnknownPresetsAreRefusedWithTheirOrigin) {
  const Table table;
  EXPECT_THAT(table.refusal({"--preset", "papr"}),
              AllOf(HasSubstr("'papr'"), HasSubstr("command line"), HasSubstr("paper, wide"),
                    HasSubstr("Did you mean --preset paper?")));
  EXPECT_THAT(table.refusal({"--config", put("some.cfg", "[run]\npreset = papr\n").string()}),
              AllOf(HasSubstr("'papr'"), HasSubstr("some.cfg:2")));
}

TEST(Presets, ExistOnlyWhereATableHasThem) {
  OptionTable table("plain", "without presets");
  std::int64_t batch = 1;
  table.group("learning", "Learning");
  table.add("learning.batch", &batch, "size");
  for (const auto& [words, variables] :
       std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>>{
           {{"--preset", "paper"}, {}}, {{}, {"TENFOLD_RUN__PRESET=paper"}}}) {
    try {
      table.parse(words, variables);
      FAIL();
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      EXPECT_THAT(error.message(), HasSubstr("unknown"));
    }
  }
  EXPECT_EQ(table.help_text("all").find("preset WORD"), std::string::npos);
}

TEST(Resolve, ChecksBeyondTheDomain) {
  OptionTable table("plain", "with a check");
  std::int64_t shards = 8;
  table.group("parallel", "Parallel");
  table.add("parallel.shards", &shards, "streams").check([](const std::string& text) {
    return text == "7" ? std::string("is no power of two") : std::string();
  });
  EXPECT_EQ(table.resolve({{"parallel.shards", "4", "test"}}).front().value, "4");
  try {
    table.resolve({{"parallel.shards", "7", "test"}});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("parallel.shards = '7'"), HasSubstr("from test"),
                                       HasSubstr("no power of two")));
  }
}

base::Code code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const base::Error& error) {
    return error.code();
  }
  return base::Code::kOk;
}

TEST(OptionTable, ContradictionsOfItsAuthorAreBugs) {
  std::int64_t one = 1;
  EXPECT_EQ(code_of([&] {
              OptionTable table("a", "b");
              table.add("x.one", &one, "");
              table.add("x.one", &one, "");
            }),
            base::Code::kBug);
  EXPECT_EQ(code_of([&] { OptionTable("a", "b").add("nogroup", &one, ""); }), base::Code::kBug);
  EXPECT_EQ(code_of([&] {  // both answer to --one
              OptionTable table("a", "b");
              table.add("x.one", &one, "");
              table.add("y.one", &one, "");
              table.parse({}, {});
            }),
            base::Code::kBug);
  EXPECT_EQ(code_of([&] {  // a flag of every table
              OptionTable table("a", "b");
              table.add("x.help", &one, "");
              table.parse({}, {});
            }),
            base::Code::kBug);
  EXPECT_EQ(code_of([&] {  // --print-config would print what parsing refuses
              OptionTable table("a", "b");
              table.add("x.one", &one, "").range(2, 3);
              table.parse({}, {});
            }),
            base::Code::kBug);
  EXPECT_EQ(code_of([&] {  // a preset that names no option
              OptionTable table("a", "b");
              table.add("x.one", &one, "");
              table.preset({"p", "", {{"x.two", "1", ""}}});
              table.parse({"--preset", "p"}, {});
            }),
            base::Code::kBug);
}

TEST(Encode, CarriesEveryTextToAnotherRank) {
  const Resolved resolved{{"a.b", "tab\tline\nback\\slash\\n", "file:1"}, {"c.d", "", "default"}};
  const Resolved again = decode(encode(resolved));
  ASSERT_EQ(again.size(), resolved.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].key, resolved[i].key);
    EXPECT_EQ(again[i].value, resolved[i].value);
    EXPECT_EQ(again[i].origin, resolved[i].origin);
  }
  EXPECT_TRUE(decode("").empty());
  EXPECT_EQ(code_of([] { decode("one\ttwo\n"); }), base::Code::kBug);
}

}  // namespace
}  // namespace tenfold::cli
