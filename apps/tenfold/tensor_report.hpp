// What the tensors of a checkpoint look like, as text.
#pragma once

#include <cstddef>
#include <string>

#include "tenfold/state_file.hpp"

namespace tenfold::tool {

struct TensorTable {
  std::string text;
  std::size_t tensors = 0;
  std::size_t digests = 0;  ///< that were compared
  std::size_t wrong = 0;    ///< of those
  std::uint64_t not_finite = 0;
};

/// One line per tensor whose name is `below` or lies below it ("": all): type, shape, least,
/// greatest and mean value; what is not finite and digests that do not hold are said at its end.
TensorTable tensor_table(const StateFile& file, const std::string& below);

/// All that is known of one tensor, and its first rows (of one shard's part when sharded).
/// Throws Code::kUsage when there is no such shard.
std::string tensor_text(const StateFile& file, const StoredTensor& tensor, std::size_t shard,
                        std::size_t rows);

}  // namespace tenfold::tool
