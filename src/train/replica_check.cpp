#include "train/replica_check.hpp"

#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"

namespace tenfold::train {

void check_replicas(const comm::Communicator& communicator, const store::StateRegistry& registry) {
  if (communicator.size() == 1) return;
  registry.before_save();
  // The last entry: whether this rank's copies count.
  std::vector<std::uint64_t> mine;
  std::vector<const store::StateField*> fields;
  for (const store::StateField& field : registry.fields()) {
    if (field.scope != store::Scope::kReplicated) continue;
    std::uint64_t count = 1;
    for (const std::uint64_t extent : field.shape) count *= extent;
    const auto* bytes = static_cast<const std::byte*>(field.data(0));
    mine.push_back(base::xxh64({bytes, count * store::dtype_size(field.dtype)}));
    fields.push_back(&field);
  }
  mine.push_back(registry.copies_count() ? 1 : 0);
  std::vector<std::uint64_t> all(mine.size() * static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(std::span<const std::uint64_t>(mine), std::span<std::uint64_t>(all));
  for (std::size_t rank = 1; rank < static_cast<std::size_t>(communicator.size()); ++rank) {
    if (all[(rank + 1) * mine.size() - 1] == 0) continue;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (all[rank * mine.size() + i] == all[i]) continue;
      const int culprit = static_cast<int>(rank);
      throw comm::AgreedError(
          base::Error(
              base::Code::kBug,
              fmt::format("'{}' on rank {} differs from rank 0", fields[i]->name, rank),
              "Ranks must hold equal copies: different CPU kinds in one job, or a bug in Tenfold"),
          culprit, communicator.broadcast_text(comm::host_name(), culprit));
    }
  }
}

}  // namespace tenfold::train
