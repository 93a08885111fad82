// Seeds of one job: which ranks run which, and what the job says of all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.hpp"
#include "train/seed_sweep.hpp"

namespace tenfold::train {
namespace {

using comm::Communicator;
using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(const std::string& text) {
  try {
    parse_seeds(text);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    return error.message();
  }
  return "accepted";
}

TEST(Seeds, AreNumbersAndRangesWithBothEnds) {
  EXPECT_THAT(parse_seeds("7"), ElementsAre(7U));
  EXPECT_THAT(parse_seeds("0:3"), ElementsAre(0U, 1U, 2U, 3U));
  EXPECT_THAT(parse_seeds("5:5,1:2,4294967295"), ElementsAre(5U, 1U, 2U, 4294967295U));
}

TEST(Seeds, OtherTextIsRefusedWithWhatIsWrong) {
  EXPECT_THAT(refusal("a"), HasSubstr("'a' is not a seed"));
  EXPECT_THAT(refusal("1:"), HasSubstr("'' is not a seed"));
  EXPECT_THAT(refusal("-1"), HasSubstr("'-1' is not a seed"));
  EXPECT_THAT(refusal("1:2:3"), HasSubstr("'2:3' is not a seed"));
  EXPECT_THAT(refusal("4294967296"), HasSubstr("is not a seed"));
  EXPECT_THAT(refusal("3:1"), HasSubstr("3 is after 1"));
  EXPECT_THAT(refusal("1:3,2"), HasSubstr("2 is there twice"));
  EXPECT_THAT(refusal("0:4294967295"), HasSubstr("more than 100000"));
}

TEST(Seeds, EachHasFoldersOfItsOwn) {
  std::string folder, seeds, model, other;
  std::int64_t seed = 1;
  cli::OptionTable table("t", "a test");
  table.group("run", "Run");
  table.add("run.dir", &folder, "a folder").alias("run-dir");
  table.add("run.seed", &seed, "a seed");
  table.add("run.seeds", &seeds, "seeds");
  table.group("model", "Model");
  table.add("model.export", &model, "a folder").one_a_seed();
  table.add("model.more", &other, "a folder").one_a_seed();
  table.add("model.same", &other, "no folder to write");
  const cli::Resolved all = table.resolve(
      {{"run.seeds", "1:9", ""}, {"model.export", "out/m", ""}, {"model.same", "s", ""}});
  for (const std::uint32_t each : {3U, 4U}) {
    const cli::Resolved one = resolved_for_seed(table, all, "runs/a", each);
    std::map<std::string, std::string> values;
    for (const cli::ResolvedValue& value : one) values[value.key] = value.value;
    const std::string name = "seed-" + std::to_string(each);
    EXPECT_THAT(
        values,
        ElementsAre(testing::Pair("model.export", "out/m/" + name), testing::Pair("model.more", ""),
                    testing::Pair("model.same", "s"), testing::Pair("run.dir", "runs/a/" + name),
                    testing::Pair("run.seed", std::to_string(each)),
                    testing::Pair("run.seeds", "")));
  }
}

std::vector<std::uint32_t> some_seeds() {
  return {10, 11, 12, 13, 14, 15, 16};
}

TEST(SeedSweep, EverySeedRunsOnceOnItsGroup) {
  const Communicator world = Communicator::world();
  const std::int64_t width = world.size() % 2 == 0 ? 2 : 1;
  const auto groups = world.size() / width;
  std::vector<std::uint32_t> mine;
  const auto results = run_seeds(
      world, some_seeds(), width,
      [&](const Communicator& group, std::uint32_t seed) {
        EXPECT_EQ(group.size(), width);
        EXPECT_EQ(group.rank(), world.rank() % width);
        EXPECT_EQ((seed - 10) % groups, world.rank() / width);
        EXPECT_EQ(group.all_reduce(seed, comm::Op::kMax), seed) << "ranks of one group differ";
        mine.push_back(seed);
        return seed == 12 ? 5 : 0;
      },
      true);
  ASSERT_EQ(results.size(), 7U);
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].seed, 10 + i);
    EXPECT_TRUE(results[i].run);
    EXPECT_EQ(results[i].code, results[i].seed == 12 ? 5 : 0);
  }
  EXPECT_EQ(world.all_reduce(static_cast<std::int64_t>(mine.size()), comm::Op::kSum), 7 * width);
  EXPECT_EQ(code_of_all(results), 5);
}

TEST(SeedSweep, AStopOfTheJobLeavesLaterSeedsUnbegun) {
  const Communicator world = Communicator::world();
  for (const bool stop_all : {true, false}) {
    const auto results = run_seeds(
        world, some_seeds(), 1, [](const Communicator&, std::uint32_t) { return 75; }, stop_all);
    for (std::size_t i = 0; i < results.size(); ++i) {
      EXPECT_EQ(results[i].run, !stop_all || i < static_cast<std::size_t>(world.size()));
    }
    EXPECT_EQ(code_of_all(results), 75);
  }
}

TEST(SeedSweep, GroupsMustShareTheRanksEvenly) {
  const Communicator world = Communicator::world();
  EXPECT_THROW(
      run_seeds(
          world, {1}, world.size() + 1, [](const Communicator&, std::uint32_t) { return 0; }, true),
      base::Error);
}

TEST(SeedSweep, TheFirstFailureIsTheJobsCode) {
  EXPECT_EQ(code_of_all({{1, 0, true}, {2, 0, true}}), 0);
  EXPECT_EQ(code_of_all({{1, 75, true}, {2, 4, true}, {3, 5, true}}), 4);
  EXPECT_EQ(code_of_all({{1, 0, true}, {2, 0, false}}), 75);
}

}  // namespace
}  // namespace tenfold::train
