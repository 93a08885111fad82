#include "train/provenance.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "kernels/runtime.hpp"
#include "train/version.hpp"

namespace tenfold::train {

namespace {

std::map<std::string, std::string> dependency_versions() {
  return {{"dep.mpi", comm::mpi_description()},
          {"dep.hdf5", store::hdf5_description()},
          {"dep.kokkos", kernels::kokkos_description()},
          {"dep.libtorch", torch_description()}};
}

}  // namespace

std::string version_text(const AppInfo& info) {
  std::string text = fmt::format("{} of Tenfold {} ({})\n", info.name, kVersion, kGitDescription);
  for (const auto& [name, version] : dependency_versions()) {
    text += fmt::format("  {:<9} {}\n", name.substr(4), version);
  }
  return text + fmt::format("  {:<9} {}\n", "cpu", cpu_capability());
}

std::string command_line(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    const bool plain = !word.empty() && word.find_first_of(" \t\n\"'\\$&|;<>()*?#~") == word.npos;
    words.push_back(plain ? word : "'" + word + "'");
  }
  return base::join(words, " ");
}

std::string git_description() {
  return kGitDescription;
}

std::string result_config(const cli::OptionTable& table, const cli::Resolved& resolved) {
  nlohmann::json config = nlohmann::json::object();
  for (std::size_t i = 0; i < resolved.size(); ++i) {
    const auto option =
        std::find_if(table.options().begin(), table.options().end(),
                     [&](const cli::Option& each) { return each.key == resolved[i].key; });
    if (option != table.options().end() && option->affects_results) {
      config[resolved[i].key] = resolved[i].value;
    }
  }
  return config.dump();
}

std::string with_facts(const std::string& result_config,
                       const std::map<std::string, std::string>& facts) {
  auto config = nlohmann::json::parse(result_config);
  config.update(facts);
  return config.dump();
}

std::string config_digest(const std::string& result_config) {
  return base::sha256_text(result_config).substr(0, 6);
}

store::Manifest collect_manifest(const AppInfo& info, const RunOptions& options,
                                 const cli::Resolved& resolved, const RunContext& context,
                                 const std::string& command_line, const std::string& run_id) {
  nlohmann::json config = nlohmann::json::object();
  for (const cli::ResolvedValue& each : resolved) {
    config[each.key] = {{"value", each.value}, {"origin", each.origin}};
  }
  const std::vector<std::string> hosts = context.world.gather_texts(comm::host_name());
  store::Manifest manifest = dependency_versions();
  manifest["app"] = info.name;
  manifest["app_summary"] = info.summary;
  manifest["paper"] = info.paper;
  manifest["version"] = kVersion;
  manifest["git_commit"] = kGitDescription;
  manifest["command_line"] = command_line;
  manifest["config"] = config.dump();
  manifest["seed"] = std::to_string(options.seed);
  manifest["virtual_shards"] = std::to_string(options.virtual_shards);
  manifest["reduce"] = options.reduce;
  manifest["world_size"] = std::to_string(context.world.size());
  manifest["hosts"] = base::join(hosts, ",");
  manifest["device"] = context.device.description;
  manifest["threads"] = std::to_string(context.device.threads);
  manifest["cpu_capability"] = cpu_capability();
  manifest["started_utc"] = base::utc_timestamp();
  manifest["run_id"] = run_id;
  manifest.insert(context.facts.begin(), context.facts.end());
  return manifest;
}

}  // namespace tenfold::train
