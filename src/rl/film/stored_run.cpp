#include "rl/film/stored_run.hpp"

#include <ATen/ops/zeros.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/checkpoint_store.hpp"
#include "store/h5_file.hpp"
#include "store/run_reader.hpp"

namespace tenfold::rl {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using store::Hid;

namespace {

// The options of the manifest that are this family's; those of the library say nothing of a policy.
std::vector<cli::ResolvedValue> own_options(const cli::OptionTable& table,
                                            const nlohmann::json& stored) {
  std::vector<cli::ResolvedValue> said;
  const auto group_of = [](const std::string& key) { return key.substr(0, key.find('.')); };
  for (const auto& [key, entry] : stored.items()) {
    bool known = false, group_known = false;
    for (const cli::Option& option : table.options()) {
      known = known || option.key == key;
      group_known = group_known || option.group == group_of(key);
    }
    if (known) {
      said.push_back({key, entry.at("value").get<std::string>(), "the run's manifest"});
    } else if (group_known) {
      throw Error(Code::kData,
                  fmt::format("the run has an option {} that this program does not know",
                              base::printable(key)),
                  "Use the version that made it: the manifest names it (tenfold show RUN)");
    }
  }
  return said;
}

[[noreturn]] void misfit(const std::string& what) {
  throw Error(Code::kData, what,
              "The checkpoint is of another network than the run's options make");
}

void read_values(hid_t group, const std::string& name, const std::vector<std::int64_t>& shape,
                 float* values) {
  if (!store::path_exists(group, name)) misfit(fmt::format("holds no {}", name));
  const Hid dataset(H5Dopen2(group, name.c_str(), H5P_DEFAULT), &H5Dclose, "open data set", name);
  const std::vector<std::uint64_t> dims = store::dimensions(dataset.get(), name);
  const std::vector<std::int64_t> stored(dims.begin(), dims.end());
  if (stored != shape) {
    misfit(fmt::format("{} is {}, the run's options make it {}", name, fmt::join(stored, "x"),
                       fmt::join(shape, "x")));
  }
  store::check_h5(H5Dread(dataset.get(), store::memory_type(store::Dtype::kFloat32), H5S_ALL,
                          H5S_ALL, H5P_DEFAULT, values),
                  "read data set", name);
}

void read_checkpoint(const fs::path& folder,
                     const std::function<void(const StoredCheckpoint&)>& read) {
  const std::uint64_t step = store::verify_checkpoint(folder).step;
  const store::Hdf5Session session;
  const fs::path path = folder / "state.h5";
  store::with_path(path, [&] {
    const Hid file =
        store::open_file(path, H5F_ACC_RDONLY, store::serial_access(H5F_LIBVER_V18, false));
    const Hid group = store::open_group(file.get(), "checkpoint");
    read({folder, step, group.get()});
  });
}

}  // namespace

std::uint32_t read_run_options(const fs::path& run, const std::string& app,
                               const std::function<void(cli::OptionTable&)>& declare) {
  const std::map<std::string, std::string> manifest = store::read_manifest(run);
  const auto fact = [&](const char* key) {
    const auto found = manifest.find(key);
    return found == manifest.end() ? std::string() : found->second;
  };
  if (fact("app") != app) {
    throw Error(Code::kData, fmt::format("{} is a run of '{}', not of {}", run.string(),
                                         base::printable(fact("app")), app));
  }
  const auto stored = nlohmann::json::parse(fact("config"), nullptr, false);
  if (!stored.is_object()) throw Error(Code::kData, run.string() + ": its manifest is damaged");
  cli::OptionTable table(app, "");
  declare(table);
  try {
    table.apply(table.resolve(own_options(table, stored)));
    return static_cast<std::uint32_t>(std::stoul(fact("seed")));
  } catch (const nlohmann::json::exception&) {
    throw Error(Code::kData, run.string() + ": its manifest is damaged");
  } catch (const std::logic_error&) {
    throw Error(Code::kData, run.string() + ": its manifest holds no seed");
  }
}

at::Tensor StoredCheckpoint::flat(const std::string& prefix,
                                  const nn::ParameterLayout& layout) const {
  at::Tensor values = at::zeros({layout.flat_size()}, at::kFloat);
  for (const nn::ParameterEntry& each : layout.entries()) {
    read_values(group, prefix + "/" + each.name, each.shape,
                values.data_ptr<float>() + each.offset);
  }
  return values;
}

std::uint64_t StoredCheckpoint::number(const std::string& name) const {
  std::uint64_t value = 0;
  const Hid dataset(H5Dopen2(group, name.c_str(), H5P_DEFAULT), &H5Dclose, "open data set", name);
  store::check_h5(H5Dread(dataset.get(), store::memory_type(store::Dtype::kUint64), H5S_ALL,
                          H5S_ALL, H5P_DEFAULT, &value),
                  "read data set", name);
  return value;
}

void read_newest_checkpoint(const fs::path& run, std::vector<std::string>& warnings,
                            const std::function<void(const StoredCheckpoint&)>& read) {
  for (const fs::path& folder : store::list_checkpoints(run / "checkpoint")) {
    try {
      return read_checkpoint(folder, read);
    } catch (const Error& error) {
      if (error.code() == Code::kData) throw;  // whole, but another network
      warnings.push_back(fmt::format("checkpoint passed over: {}", error.what()));
    }
  }
  throw Error(Code::kCheckpoint,
              fmt::format("{} has no checkpoint that is whole, so no policy", run.string()),
              "A run writes one every --checkpoint-every, and when it ends; `tenfold verify RUN` "
              "says what is wrong with those that there are");
}

}  // namespace tenfold::rl
