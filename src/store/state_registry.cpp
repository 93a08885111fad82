#include "store/state_registry.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace tenfold::store {

namespace {

/// A name becomes a path in the file: empty parts and "." would name something else.
bool is_path_name(const std::string& name) {
  std::size_t start = 0;
  while (start <= name.size()) {
    const std::size_t end = std::min(name.find('/', start), name.size());
    const std::string part = name.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") return false;
    start = end + 1;
  }
  return true;
}

}  // namespace

std::size_t dtype_size(Dtype dtype) {
  switch (dtype) {
    case Dtype::kUint8:
      return 1;
    case Dtype::kFloat32:
    case Dtype::kInt32:
    case Dtype::kUint32:
      return 4;
    case Dtype::kFloat64:
    case Dtype::kInt64:
    case Dtype::kUint64:
      return 8;
  }
  return 0;
}

std::string dtype_name(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return "float32";
    case Dtype::kFloat64:
      return "float64";
    case Dtype::kInt32:
      return "int32";
    case Dtype::kInt64:
      return "int64";
    case Dtype::kUint8:
      return "uint8";
    case Dtype::kUint32:
      return "uint32";
    case Dtype::kUint64:
      return "uint64";
  }
  return "unknown";
}

void StateRegistry::add(StateField field) {
  base::require(is_path_name(field.name), "state field name '" + field.name + "' is not a path");
  base::require(field.data != nullptr, "state field '" + field.name + "' has no data");
  base::require(field.rows == nullptr || !field.shape.empty(),
                "state field '" + field.name + "' has rows but no shape");
  base::require(
      field.written == nullptr || (field.rows && !field.shape.empty() && field.shape.front() > 0),
      "state field '" + field.name + "' is a ring without slots");
  const bool known = std::any_of(fields_.begin(), fields_.end(), [&](const StateField& other) {
    return other.name == field.name || other.name.starts_with(field.name + "/") ||
           field.name.starts_with(other.name + "/");
  });
  base::require(!known,
                "state field '" + field.name + "' was registered twice, or is inside another");
  if (!field.held) field.held = held_;
  fields_.push_back(std::move(field));
}

void StateRegistry::before_save() const {
  for (const auto& hook : save_hooks_) hook();
}

void StateRegistry::after_load() const {
  for (const auto& hook : load_hooks_) hook();
}

}  // namespace tenfold::store
