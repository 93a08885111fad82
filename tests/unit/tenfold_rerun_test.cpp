#include <gmock/gmock.h>

#include "tenfold/rerun_plan.hpp"

namespace tenfold::tool {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RunOverview run() {
  RunOverview made;
  made.manifest = {{"world_size", "2"},  {"threads", "3"},           {"version", "0.1.0"},
                   {"git_commit", "aa"}, {"cpu_capability", "AVX2"}, {"dep.mpi", "Open MPI v4"},
                   {"reduce", "fast"}};
  made.config = {{"run.dir", "runs/a", "command line"},
                 {"run.seed", "7", "command line"},
                 {"run.stop-after", "10m", "command line"},
                 {"explore.sigma", "0.2", "default"},
                 {"parallel.threads", "0", "default"},
                 {"task.mjcf-dir", "my models", "a.cfg:3"},
                 {"explore.bias", "-1", "TENFOLD_EXPLORE__BIAS"},
                 {"task.note", "", "command line"}};
  return made;
}

TEST(RerunWords, WhatWasSaidTheThreadsAndTheNewFolder) {
  EXPECT_THAT(
      rerun_words(run(), {"/opt/bin/ddpg", "runs/b", false, false}),
      ElementsAre("mpirun -n 2 /opt/bin/ddpg", "--run.seed 7", "--task.mjcf-dir 'my models'",
                  "--explore.bias=-1", "--parallel.threads 3", "--run.dir runs/b"));
}

TEST(RerunWords, EveryOptionAndMoreRanksThanCores) {
  const auto words = rerun_words(run(), {"ddpg", "it's", true, true});
  EXPECT_EQ(words.front(), "mpirun --oversubscribe -n 2 ddpg");
  EXPECT_THAT(words, ::testing::Contains("--explore.sigma 0.2"));
  EXPECT_EQ(words.back(), "--run.dir 'it'\\''s'");
}

TEST(VersionText, IsReadUnderTheManifestsNames) {
  const auto facts = parse_version_text(
      "some warning\nddpg of Tenfold 0.1.0 (c0ffee-dirty)\n  hdf5      1.10.8 (parallel)\n"
      "  mpi       Open MPI v4.1.4 (not CUDA-aware)\n  cpu       AVX512\n");
  EXPECT_EQ(facts.at("version"), "0.1.0");
  EXPECT_EQ(facts.at("git_commit"), "c0ffee-dirty");
  EXPECT_EQ(facts.at("dep.hdf5"), "1.10.8 (parallel)");
  EXPECT_EQ(facts.at("dep.mpi"), "Open MPI v4.1.4 (not CUDA-aware)");
  EXPECT_EQ(facts.at("cpu_capability"), "AVX512");
  EXPECT_EQ(facts.size(), 5U);
  EXPECT_TRUE(parse_version_text("").empty());
}

TEST(RerunWarnings, OneForEachThingThatIsAnother) {
  const RunOverview same = run();
  EXPECT_THAT(rerun_warnings(same, same.manifest, 6), IsEmpty());
  const auto found = rerun_warnings(same,
                                    {{"version", "0.2.0"},
                                     {"git_commit", "bb"},
                                     {"cpu_capability", "AVX512"},
                                     {"dep.mpi", "MPICH"}},
                                    5);
  EXPECT_THAT(found, ElementsAre(HasSubstr("Tenfold was 0.1.0, here it is 0.2.0"),
                                 HasSubstr("commit was aa, here it is bb"),
                                 HasSubstr("vector set was AVX2, here it is AVX512"),
                                 HasSubstr("mpi was Open MPI v4, here it is MPICH"),
                                 HasSubstr("2 ranks of 3 threads, this machine has 5 cores")));
}

TEST(RerunWarnings, ChangesThatAreInNoCommitAndResumesThatMoveBits) {
  RunOverview odd = run();
  odd.manifest["git_commit"] = "aa-dirty";
  odd.events = {{10, 1.0, "resume", ""}};
  EXPECT_THAT(rerun_warnings(odd, odd.manifest, 6),
              ElementsAre(HasSubstr("in no commit"), HasSubstr("resumed 1 time, with --reduce")));
  odd.manifest["reduce"] = "ordered";
  EXPECT_EQ(rerun_warnings(odd, odd.manifest, 6).size(), 1U);
}

}  // namespace
}  // namespace tenfold::tool
