#include <gmock/gmock.h>

#include "unit/cli_table.hpp"

namespace tenfold::cli {
namespace {

using test::Table;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Environment, SetsOptionsByGroupAndName) {
  Table table;
  const Resolved resolved =
      table.set({}, {"TENFOLD_LEARNING__BATCH=32", "TENFOLD_RUN__DRY_RUN=yes",
                     "TENFOLD_RUN__NOTE=a=b c", "TENFOLD_LEARNING__WIDTHS=8,4"});
  EXPECT_EQ(table.targets.batch, 32);
  EXPECT_TRUE(table.targets.dry_run);
  EXPECT_EQ(table.targets.note, "a=b c");
  EXPECT_EQ(table.targets.widths, (std::vector<std::int64_t>{8, 4}));
  EXPECT_EQ(test::origin_of(resolved, "learning.batch"), "environment TENFOLD_LEARNING__BATCH");
}

TEST(Environment, UnknownVariablesAreRefusedWithTheNearestName) {
  const Table table;
  EXPECT_THAT(table.refusal({}, {"TENFOLD_LEARNING__BACTH=3"}),
              AllOf(HasSubstr("TENFOLD_LEARNING__BACTH"),
                    HasSubstr("Did you mean TENFOLD_LEARNING__BATCH?")));
  EXPECT_THAT(table.refusal({}, {"TENFOLD_LEARNING_BATCH=3"}),
              HasSubstr("Did you mean TENFOLD_LEARNING__BATCH?"));
  EXPECT_THAT(table.refusal({}, {"TENFOLD_FAULTS=x"}), HasSubstr("Did you mean TENFOLD_FAULT?"));
  EXPECT_THAT(table.refusal({}, {"TENFOLD_learning__batch=3"}),
              HasSubstr("TENFOLD_learning__batch"));
  EXPECT_THAT(table.refusal({}, {"TENFOLD_=3"}), HasSubstr("TENFOLD_"));
  EXPECT_THAT(table.refusal({}, {"TENFOLD_\x1b=3"}),
              AllOf(HasSubstr("\\x1b"), Not(HasSubstr("\x1b"))));
}

TEST(Environment, WhatOtherPartsReadIsLeftAlone) {
  Table table;
  const Resolved resolved =
      table.set({}, {"TENFOLD_FAULT=x", "TENFOLD_DEADLINE=1", "TENFOLD_DATA_DIR=/d",
                     "TENFOLD_MAX_REQUEUE=3", "TENFOLD_SLURM_DIR=/s", "TENFOLD_PYTHON=/p",
                     "PATH=/bin", "MY_TENFOLD_TYPO=1", "TENFOLDED=1", "broken"});
  for (const ResolvedValue& each : resolved) EXPECT_EQ(each.origin, "default") << each.key;
}

TEST(Environment, BadValuesNameTheVariable) {
  const Table table;
  EXPECT_THAT(table.refusal({}, {"TENFOLD_LEARNING__BATCH=0"}),
              AllOf(HasSubstr("learning.batch = '0'"),
                    HasSubstr("environment TENFOLD_LEARNING__BATCH"), HasSubstr("from 1 to 4096")));
  EXPECT_THAT(table.refusal({}, {"TENFOLD_LEARNING__BATCH="}), HasSubstr("learning.batch = ''"));
}

}  // namespace
}  // namespace tenfold::cli
