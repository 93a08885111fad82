#include <ATen/Parallel.h>

#include <cstdio>
#include <exception>
#include <numeric>
#include <stdexcept>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "kernels/runtime.hpp"
#include "rl/film/film.hpp"

namespace tenfold::rl {

namespace {

FilmOptions read_words(const std::string& app, const std::vector<std::string>& words) {
  try {
    if (words.size() == 3) return {words[0], words[2], std::stol(words[1])};
  } catch (const std::logic_error&) {  // no number
  }
  throw base::Error(base::Code::kUsage, fmt::format("usage: {}_film RUN EPISODES FILE", app),
                    "Use `tenfold show --video RUN`");
}

void report(const Film& film) {
  for (const std::string& each : film.warnings) {
    std::fprintf(stderr, "tenfold: warning: %s\n", base::printable(each).c_str());
  }
  const double mean = std::accumulate(film.returns.begin(), film.returns.end(), 0.0) /
                      static_cast<double>(film.returns.size());
  std::printf("%s after %llu decisions: %zu %s, mean return %.1f\n",
              base::printable(film.task).c_str(), static_cast<unsigned long long>(film.step),
              film.returns.size(), film.returns.size() == 1 ? "episode" : "episodes", mean);
  for (const auto& path : {film.video, film.sheet}) {
    std::printf("wrote %s\n", base::printable(path.string()).c_str());
  }
}

}  // namespace

int film_program(int argc, char** argv, const std::string& app,
                 const std::function<Film(const FilmOptions&)>& film) {
  base::log_configure(0, true, base::LogLevel::kWarning);
  try {
    const FilmOptions options = read_words(app, {argv + 1, argv + argc});
    at::set_num_threads(1);
    const kernels::KokkosEnvironment kokkos;
    report(film(options));
    return 0;
  } catch (const base::Error& error) {
    return base::print_fatal(static_cast<int>(error.code()), error.what());
  } catch (const std::exception& error) {
    return base::print_fatal(static_cast<int>(base::Code::kBug), error.what());
  }
}

}  // namespace tenfold::rl
