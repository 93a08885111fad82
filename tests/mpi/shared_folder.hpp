// A folder that all ranks of a test share, removed at the end.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "comm/communicator.hpp"

namespace tenfold::test {

class SharedFolderTest : public testing::Test {
 protected:
  SharedFolderTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenfold-XXXXXX").string();
    if (world_.is_root() && ::mkdtemp(pattern.data()) == nullptr) pattern.clear();
    folder_ = world_.broadcast_text(pattern);
  }
  ~SharedFolderTest() override {
    world_.barrier();
    if (world_.is_root() && !folder_.empty()) std::filesystem::remove_all(folder_);
  }

  comm::Communicator world_ = comm::Communicator::world();
  std::filesystem::path folder_;
};

}  // namespace tenfold::test
