#include "a3c/learning/node_link.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <exception>

#include "base/error.hpp"
#include "comm/waiting.hpp"
#include "train/partition.hpp"

namespace tenfold::a3c {

namespace {

using comm::check_mpi;

std::size_t size_of(const SharedParameters& shared) {
  return shared.parameters().size();
}

class Averaging final : public NodeLink {
 public:
  Averaging(const Config& config, const comm::Communicator& leaders, const SharedParameters& shared,
            const SharedNumber& elsewhere)
      : leaders_(leaders.duplicate()),
        shared_(shared),
        elsewhere_(elsewhere),
        every_(config.inter_every),
        rate_(static_cast<float>(config.inter_rate)),
        begun_at_(shared.updates().get()),
        decisions_at_settle_(shared.frames().get()),
        mine_(2 * size_of(shared) + 1),
        sum_(mine_.size()),
        start_(at::empty({static_cast<std::int64_t>(size_of(shared))}, at::kFloat)),
        less_(at::empty_like(start_)) {}
  ~Averaging() override {
    // Left open only when an exception is on its way: the job ends.
    if (request_ != MPI_REQUEST_NULL && std::uncaught_exceptions() == 0) {
      MPI_Wait(&request_, MPI_STATUS_IGNORE);
    }
  }

  void poll() override {
    if (request_ == MPI_REQUEST_NULL) {
      if (shared_.updates().get() - begun_at_ >= every_) begin();
    } else if (comm::completed(&request_)) {
      finish(rate_);
    }
  }

  std::int64_t settle(std::int64_t decisions) override {
    // All have to begin as many exchanges as the busiest has.
    const std::int64_t most = leaders_.all_reduce(exchanges_, comm::Op::kMax);
    while (exchanges_ < most || request_ != MPI_REQUEST_NULL) {
      if (request_ == MPI_REQUEST_NULL) begin();
      wait();
      finish(rate_);
    }
    begin();
    wait();
    finish(1, true);
    exchanges_ = 0;
    const std::int64_t all = leaders_.all_reduce(decisions, comm::Op::kSum);
    elsewhere_.set(0);
    return all;
  }

  void begin_block() override {
    begun_at_ = shared_.updates().get();
    decisions_at_settle_ = shared_.frames().get();
  }

 private:
  // Weighted by decisions: a node that did more counts for more.
  void begin() {
    const auto weight = static_cast<float>(
        std::max<std::int64_t>(1, shared_.frames().get() - decisions_at_settle_));
    const std::size_t size = size_of(shared_);
    shared_.read(start_);
    const float* const start = start_.data_ptr<float>();
    for (std::size_t i = 0; i < size; ++i) {
      mine_[i] = weight * start[i];
      mine_[size + i] = weight * shared_.statistics()[i];
    }
    mine_.back() = weight;
    begun_at_ = shared_.updates().get();
    ++exchanges_;
    check_mpi(MPI_Iallreduce(mine_.data(), sum_.data(), static_cast<int>(mine_.size()), MPI_FLOAT,
                             MPI_SUM, leaders_.raw(), &request_),
              "MPI_Iallreduce");
  }

  void wait() {
    comm::Backoff backoff;
    while (!comm::completed(&request_)) backoff.pause();
  }

  // Others on this node write meanwhile: only the change is added. At the end nobody does, and all
  // nodes take the same numbers.
  void finish(float rate, bool last = false) {
    const std::size_t size = size_of(shared_);
    const float weight = sum_.back();
    for (std::size_t i = 0; i < size; ++i) {
      float& statistic = shared_.statistics()[i];
      const float mean = sum_[i] / weight, mean_statistic = sum_[size + i] / weight;
      less_.data_ptr<float>()[i] = rate * (start_.data_ptr<float>()[i] - mean);
      if (last) shared_.parameters()[i] = mean;
      statistic = last ? mean_statistic : statistic + rate * (mean_statistic - statistic);
    }
    if (!last) shared_.subtract(less_);
    elsewhere_.set(static_cast<std::int64_t>(weight - mine_.back()));
  }

  comm::Communicator leaders_;
  const SharedParameters& shared_;
  const SharedNumber& elsewhere_;
  std::int64_t every_;
  float rate_;
  std::int64_t begun_at_, decisions_at_settle_, exchanges_ = 0;
  MPI_Request request_ = MPI_REQUEST_NULL;
  std::vector<float> mine_, sum_;
  at::Tensor start_, less_;
};

class Accumulating final : public NodeLink {
 public:
  Accumulating(const Config& config, const comm::Communicator& leaders,
               const SharedParameters& shared, const SharedNumber& elsewhere)
      : leaders_(leaders.duplicate()),
        shared_(shared),
        elsewhere_(elsewhere),
        every_(config.inter_every),
        done_at_(shared.updates().get()),
        counted_(shared.frames().get()),
        partition_(
            train::equal_partition(static_cast<std::int64_t>(size_of(shared)), leaders.size())),
        known_(shared.parameters().begin(), shared.parameters().end()),
        change_(known_.size()),
        taken_(known_.size()),
        here_(at::empty({static_cast<std::int64_t>(known_.size())}, at::kFloat)),
        less_(at::empty_like(here_)) {
    open();
  }
  ~Accumulating() override {
    if (std::uncaught_exceptions() > 0) return;
    MPI_Win_unlock_all(window_);
    MPI_Win_free(&window_);
    MPI_Win_unlock_all(counter_window_);
    MPI_Win_free(&counter_window_);
  }

  // Passive targets move on when they enter MPI, which this does for every rollout.
  void poll() override {
    if (shared_.updates().get() - done_at_ >= every_) {
      exchange();
    } else {
      int ignored = 0;
      check_mpi(
          MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, leaders_.raw(), &ignored, MPI_STATUS_IGNORE),
          "MPI_Iprobe");
    }
  }

  std::int64_t settle(std::int64_t decisions) override {
    push();
    comm::patient_barrier(leaders_);
    take();
    comm::patient_barrier(leaders_);
    std::copy(taken_.begin(), taken_.end(), shared_.parameters().begin());
    known_ = taken_;
    average_statistics();
    const std::int64_t all = leaders_.all_reduce(decisions, comm::Op::kSum);
    if (leaders_.is_root()) counter_ = 0;
    told_ = 0;
    check_mpi(MPI_Win_sync(counter_window_), "MPI_Win_sync");
    comm::patient_barrier(leaders_);
    elsewhere_.set(0);
    return all;
  }

  void begin_block() override {
    done_at_ = shared_.updates().get();
    counted_ = shared_.frames().get();
  }

 private:
  const std::vector<train::Piece>& pieces(int rank) const {
    return partition_.pieces[static_cast<std::size_t>(rank)];
  }

  void open() {
    const auto mine =
        static_cast<std::size_t>(partition_.sizes[static_cast<std::size_t>(leaders_.rank())]);
    float* memory = nullptr;
    check_mpi(
        MPI_Win_allocate(static_cast<MPI_Aint>(mine * sizeof(float)), sizeof(float), MPI_INFO_NULL,
                         leaders_.raw(), static_cast<void*>(&memory), &window_),
        "MPI_Win_allocate");
    const train::Piece& piece = pieces(leaders_.rank()).front();
    std::copy_n(known_.begin() + piece.begin, mine, memory);
    check_mpi(MPI_Win_create(&counter_, sizeof(counter_), sizeof(counter_), MPI_INFO_NULL,
                             leaders_.raw(), &counter_window_),
              "MPI_Win_create");
    for (MPI_Win each : {window_, counter_window_}) {
      check_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, each), "MPI_Win_lock_all");
      check_mpi(MPI_Win_sync(each), "MPI_Win_sync");
    }
    leaders_.barrier();
  }

  void push() {
    shared_.read(here_);
    for (std::size_t i = 0; i < known_.size(); ++i) {
      change_[i] = here_.data_ptr<float>()[i] - known_[i];
      known_[i] += change_[i];
    }
    for (int rank = 0; rank < leaders_.size(); ++rank) {
      const train::Piece& piece = pieces(rank).front();
      if (piece.size == 0) continue;
      const auto count = static_cast<int>(piece.size);
      check_mpi(MPI_Accumulate(change_.data() + piece.begin, count, MPI_FLOAT, rank, 0, count,
                               MPI_FLOAT, MPI_SUM, window_),
                "MPI_Accumulate");
    }
    check_mpi(MPI_Win_flush_all(window_), "MPI_Win_flush_all");
  }

  void take() {
    for (int rank = 0; rank < leaders_.size(); ++rank) {
      const train::Piece& piece = pieces(rank).front();
      if (piece.size == 0) continue;
      const auto count = static_cast<int>(piece.size);
      check_mpi(MPI_Get(taken_.data() + piece.begin, count, MPI_FLOAT, rank, 0, count, MPI_FLOAT,
                        window_),
                "MPI_Get");
    }
    check_mpi(MPI_Win_flush_all(window_), "MPI_Win_flush_all");
  }

  void exchange() {
    push();
    take();
    for (std::size_t i = 0; i < known_.size(); ++i) {
      less_.data_ptr<float>()[i] = known_[i] - taken_[i];
      known_[i] = taken_[i];
    }
    shared_.subtract(less_);
    count();
    done_at_ = shared_.updates().get();
  }

  // Adds this node's decisions since the last time to the first leader's count of all.
  void count() {
    const std::int64_t here = shared_.frames().get();
    const std::int64_t more = here - counted_;
    std::int64_t before = 0;
    check_mpi(MPI_Fetch_and_op(&more, &before, MPI_INT64_T, 0, 0, MPI_SUM, counter_window_),
              "MPI_Fetch_and_op");
    check_mpi(MPI_Win_flush(0, counter_window_), "MPI_Win_flush");
    counted_ = here;
    elsewhere_.set(before - told_);
    told_ += more;
  }

  void average_statistics() {
    leaders_.all_reduce(shared_.statistics(), comm::Op::kSum);
    for (float& each : shared_.statistics()) each /= static_cast<float>(leaders_.size());
  }

  comm::Communicator leaders_;
  const SharedParameters& shared_;
  const SharedNumber& elsewhere_;
  std::int64_t every_, done_at_;
  std::int64_t counter_ = 0;         ///< the first leader's: decisions of all since settle
  std::int64_t counted_, told_ = 0;  ///< frames that were told of; decisions told since settle
  train::Partition partition_;
  MPI_Win window_ = MPI_WIN_NULL, counter_window_ = MPI_WIN_NULL;
  std::vector<float> known_;  ///< the parameters as this node last knew them, with its own changes
  std::vector<float> change_, taken_;
  at::Tensor here_, less_;
};

}  // namespace

std::unique_ptr<NodeLink> make_node_link(const Config& config, const comm::Communicator& leaders,
                                         const SharedParameters& shared,
                                         const SharedNumber& elsewhere) {
  if (config.inter == "average") {
    return std::make_unique<Averaging>(config, leaders, shared, elsewhere);
  }
  return std::make_unique<Accumulating>(config, leaders, shared, elsewhere);
}

}  // namespace tenfold::a3c
