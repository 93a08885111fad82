// What an experiment would save, as bytes by name: to see whether something changed it.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "store/state_registry.hpp"

namespace tenfold::test {

/// Replicated fields by name, sharded ones as "name@shard", for the shards in mine. Rows that are
/// not in use are left out.
inline std::map<std::string, std::string> state_bytes(const store::StateRegistry& registry,
                                                      const std::vector<std::size_t>& mine) {
  registry.before_save();
  std::map<std::string, std::string> bytes;
  const auto take = [&](const std::string& name, const store::StateField& field,
                        std::size_t shard) {
    std::uint64_t count = 1;
    for (const std::uint64_t extent : field.shape) count *= extent;
    if (field.rows) count = count / field.shape.front() * field.rows(shard);
    std::string& out = bytes[name];
    out.resize(count * store::dtype_size(field.dtype));
    std::memcpy(out.data(), field.data(shard), out.size());
  };
  for (const store::StateField& field : registry.fields()) {
    if (field.scope == store::Scope::kReplicated) {
      take(field.name, field, 0);
    } else {
      for (const std::size_t shard : store::held_shards(field, mine)) {
        take(field.name + "@" + std::to_string(shard), field, shard);
      }
    }
  }
  return bytes;
}

/// A named entry as numbers.
template <class T>
std::vector<T> values_of(const std::map<std::string, std::string>& bytes, const std::string& name) {
  const std::string& text = bytes.at(name);
  std::vector<T> values(text.size() / sizeof(T));
  std::memcpy(values.data(), text.data(), text.size());
  return values;
}

}  // namespace tenfold::test
