// tenfold_gym._native: env::BatchEnv as a Python class. Arrays are memoryviews, not NumPy's type,
// so that this builds against any NumPy.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "env/registry.hpp"

namespace py = pybind11;

namespace {

using tenfold::base::Code;
using tenfold::base::Error;
namespace base = tenfold::base;
namespace env = tenfold::env;

py::dict facts(const env::Spec& spec) {
  using namespace py::literals;
  return py::dict("name"_a = spec.name, "summary"_a = spec.summary, "source"_a = spec.source,
                  "observation_size"_a = spec.observation_size, "action_size"_a = spec.action_size,
                  "horizon"_a = spec.horizon, "action_repeat"_a = spec.action_repeat,
                  "control_dt"_a = spec.control_dt,
                  "reward_range"_a = std::make_pair(spec.least_reward, spec.most_reward),
                  "can_end"_a = spec.can_end);
}

template <class T>
std::span<const T> contiguous(const py::buffer& buffer, std::size_t count, const char* what) {
  const py::buffer_info info = buffer.request();
  const bool fits = info.format == py::format_descriptor<T>::format() &&
                    info.size == static_cast<py::ssize_t>(count) &&
                    PyBuffer_IsContiguous(info.view(), 'C') != 0;
  if (!fits) {
    throw py::value_error(
        fmt::format("{}: {} contiguous numbers of {} bytes are needed", what, count, sizeof(T)));
  }
  return {static_cast<const T*>(info.ptr), count};
}

template <class T>
py::memoryview view(std::span<const T> values, std::size_t rows) {
  const auto columns = static_cast<py::ssize_t>(values.size() / rows);
  constexpr auto kSize = static_cast<py::ssize_t>(sizeof(T));
  return py::memoryview::from_buffer(values.data(), {static_cast<py::ssize_t>(rows), columns},
                                     {columns * kSize, kSize});
}

// A batch with its rows checked: Python may pass any number.
class Batch {
 public:
  Batch(const std::string& task, std::size_t size, std::int64_t horizon, std::int64_t repeat,
        bool terminate_on_fall, const std::string& mjcf_folder) {
    if (size == 0 || horizon < 0 || repeat < 0) {
      throw Error(Code::kUsage, "size must be positive, horizon and repeat not negative");
    }
    env::EnvOptions options;
    options.horizon = horizon;
    options.action_repeat = repeat;
    options.terminate_on_fall = terminate_on_fall;
    options.mjcf_folder = mjcf_folder;
    envs_ = env::make_env(task, size, options);
    running_.assign(size, 0);
  }

  std::size_t checked(std::size_t row) const {
    if (row >= envs_->size()) throw py::index_error("there is no such row");
    return row;
  }
  void reset(std::size_t row, std::uint32_t seed, std::uint32_t index, std::uint64_t episode) {
    base::Stream stream(seed, base::Purpose::kEnvReset, index, episode);
    envs_->reset(checked(row), stream);
    running_[row] = 1;
  }
  void step(const py::buffer& actions) {
    for (std::size_t row = 0; row < running_.size(); ++row) {
      if (running_[row] != 0) continue;
      throw Error(Code::kUsage, fmt::format("environment {} is outside an episode", row),
                  "Call reset first");
    }
    envs_->step(contiguous<float>(actions, envs_->size() * envs_->spec().action_size, "actions"));
    for (std::size_t row = 0; row < running_.size(); ++row) {
      running_[row] = envs_->terminal()[row] == 0 && envs_->truncated()[row] == 0;
    }
  }
  py::bytes save(std::size_t row) const {
    std::vector<double> state(envs_->state_size());
    envs_->save(checked(row), state);
    return {reinterpret_cast<const char*>(state.data()), state.size() * sizeof(double)};
  }
  void load(std::size_t row, const std::string& bytes) {
    std::vector<double> state(envs_->state_size());
    if (bytes.size() != state.size() * sizeof(double)) {
      throw py::value_error("this is not a state of this task");
    }
    std::memcpy(state.data(), bytes.data(), bytes.size());
    envs_->load(checked(row), state);
    running_[row] = 1;
  }
  env::BatchEnv& envs() const { return *envs_; }

 private:
  std::unique_ptr<env::BatchEnv> envs_;
  std::vector<std::uint8_t> running_;
};

}  // namespace

PYBIND11_MODULE(_native, module) {
  module.doc() = "Tenfold's batched environments (src/env/batch_env.hpp)";
  py::register_exception<Error>(module, "TenfoldError", PyExc_RuntimeError);
  module.def(
      "list_tasks",
      [] {
        py::list all;
        for (const env::Spec& spec : env::list_tasks()) all.append(facts(spec));
        return all;
      },
      "Facts of every task, as dicts");
  const auto keep = py::keep_alive<0, 1>();  // a view keeps the batch alive
  py::class_<Batch>(module, "BatchEnv", "E environments of one task, stepped together")
      .def(py::init<const std::string&, std::size_t, std::int64_t, std::int64_t, bool,
                    const std::string&>(),
           py::arg("task"), py::arg("size"), py::arg("horizon") = 0, py::arg("repeat") = 0,
           py::arg("terminate_on_fall") = true, py::arg("mjcf_folder") = "")
      .def("__len__", [](const Batch& batch) { return batch.envs().size(); })
      .def_property_readonly("spec", [](const Batch& batch) { return facts(batch.envs().spec()); })
      .def("reset", &Batch::reset, py::arg("row"), py::arg("seed"), py::arg("index"),
           py::arg("episode"),
           "Starts episode `episode` of environment `index` of a run with this seed, as ddpg does")
      .def("step", &Batch::step, py::arg("actions"), "actions: float32 [E, A] in [-1, 1]")
      .def("save", &Batch::save, py::arg("row"), "The exact state of a row, as bytes")
      .def("load", &Batch::load, py::arg("row"), py::arg("state"))
      .def(
          "observations",
          [](const Batch& batch) { return view(batch.envs().observations(), batch.envs().size()); },
          keep, "A view of [E, O] float32, overwritten by the next call")
      .def(
          "rewards",
          [](const Batch& batch) { return view(batch.envs().rewards(), batch.envs().size()); },
          keep)
      .def(
          "terminal",
          [](const Batch& batch) { return view(batch.envs().terminal(), batch.envs().size()); },
          keep)
      .def(
          "truncated",
          [](const Batch& batch) { return view(batch.envs().truncated(), batch.envs().size()); },
          keep);
}
