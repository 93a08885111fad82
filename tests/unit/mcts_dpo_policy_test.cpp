// A policy's folder is whole or not there.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "base/error.hpp"
#include "base_folder.hpp"
#include "mcts_dpo/policy.hpp"

namespace tenfold::mcts_dpo {
namespace {

namespace fs = std::filesystem;

/// No file of this process grows beyond so many bytes while it lives.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

using PolicyFolder = test::TemporaryFolder;

// The disk is full when the tokenizer's turn comes, which is last.
TEST_F(PolicyFolder, IsWholeOrNotThere) {
  Config config;
  config.task = "commonsense";
  config.width = config.feed_forward = 4;
  config.heads = 2;
  config.layers = 1;
  config.tied_embeddings = true;
  const Policy policy(config, 1, at::kCPU);
  policy.write(folder_ / "whole", "bfloat16");
  std::uintmax_t tokenizer = 0, others = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_ / "whole")) {
    std::uintmax_t& size = entry.path().filename() == "tokenizer.json" ? tokenizer : others;
    size = std::max(size, entry.file_size());
  }
  ASSERT_GT(tokenizer, others + 1);
  {
    const FileLimit limit(others + 1);
    EXPECT_THROW(policy.write(folder_ / "torn", "bfloat16"), base::Error);
  }
  EXPECT_FALSE(fs::exists(folder_ / "torn"));
  policy.write(folder_ / "torn", "bfloat16");  // what was left of it is no hindrance
  EXPECT_TRUE(fs::exists(folder_ / "torn" / "tokenizer.json"));
  EXPECT_TRUE(fs::exists(folder_ / "torn" / "config.json"));
  std::size_t entries = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    static_cast<void>(entry);
    ++entries;
  }
  EXPECT_EQ(entries, 2U);
}

}  // namespace
}  // namespace tenfold::mcts_dpo
