#include "ddpg/topology/exchange.hpp"

#include <algorithm>
#include <climits>
#include <cstring>

#include "base/error.hpp"
#include "comm/waiting.hpp"

namespace tenfold::ddpg {

using comm::check_mpi;

namespace {

constexpr int kBlockTag = 1, kNewsTag = 2;
constexpr std::size_t kNewsWords = sizeof(News) / sizeof(float);
static_assert(sizeof(News) % sizeof(float) == 0);

int small_count(std::size_t words) {
  base::require(words <= INT_MAX, "a message between ranks of more than 8 GiB");
  return static_cast<int>(words);
}

std::size_t total_words(const std::vector<at::Tensor>& parts) {
  std::size_t words = kNewsWords;
  for (const at::Tensor& part : parts) words += static_cast<std::size_t>(part.numel());
  return words;
}

// Errors end the job; here an experiment goes away in good order, perhaps with a receive that
// nothing will ever match.
void withdraw(MPI_Request* request) {
  if (*request == MPI_REQUEST_NULL) return;
  MPI_Cancel(request);
  MPI_Wait(request, MPI_STATUS_IGNORE);
}

void abandon(MPI_Request* request) {
  if (*request != MPI_REQUEST_NULL) MPI_Request_free(request);
}

}  // namespace

Outbox::Outbox(const comm::Communicator& all, const BlockShape& shape, std::size_t shards,
               int learners, int actors, int actor)
    : all_(all), actors_(actors), actor_(actor) {
  std::vector<std::size_t> way_of_shard(shards, 0);
  for (int learner = 0; learner < learners; ++learner) {
    Link link = make_link(shards, actors, actor, learners, learner);
    if (link.shards.empty()) continue;
    for (const std::size_t shard : link.shards) way_of_shard[shard] = ways_.size();
    ways_.push_back({link, BlockWriter(shape, link)});
  }
  for (std::size_t shard = static_cast<std::size_t>(actor); shard < shards;
       shard += static_cast<std::size_t>(actors)) {
    way_of_.push_back(way_of_shard[shard]);
  }
}

Outbox::~Outbox() {
  for (Sent& each : sent_) abandon(&each.request);
}

void Outbox::begin_round(std::uint64_t round, std::uint64_t version) {
  for (Way& way : ways_) way.writer.begin(round, version);
}

void Outbox::add(std::size_t local_shard, std::span<const float> observation,
                 std::span<const float> action, float reward,
                 std::span<const float> next_observation, rl::Ending ending) {
  ways_[way_of_[local_shard]].writer.add(observation, action, reward, next_observation, ending);
}

void Outbox::add_frame(std::size_t local_shard, std::size_t /*environment*/,
                       std::span<const std::uint8_t> frame, std::span<const float> action,
                       float reward, std::span<const std::uint8_t> next_frame, rl::Ending ending) {
  ways_[way_of_[local_shard]].writer.add_frame(frame, action, reward, next_frame, ending);
}

void Outbox::end_round() {
  for (Way& way : ways_) {
    way.writer.end_round();
    if (way.writer.full()) send(way);
  }
}

void Outbox::flush() {
  for (Way& way : ways_) {
    if (!way.writer.empty()) send(way);
  }
}

void Outbox::send(Way& way) {
  delivered();  // gives buffers back
  std::vector<float> spare;
  if (!spare_.empty()) {
    spare = std::move(spare_.back());
    spare_.pop_back();
  }
  Sent& sent = sent_.emplace_back();
  sent.words = way.writer.take(std::move(spare));
  check_mpi(MPI_Isend(sent.words.data(), small_count(sent.words.size()), MPI_FLOAT,
                      way.link.learner, kBlockTag, all_.raw(), &sent.request),
            "MPI_Isend");
}

bool Outbox::delivered() {
  while (!sent_.empty() && comm::completed(&sent_.front().request)) {
    spare_.push_back(std::move(sent_.front().words));
    sent_.pop_front();
  }
  return sent_.empty();
}

Inbox::Inbox(const comm::Communicator& all, const BlockShape& shape, std::size_t shards,
             int learners, int actors, int learner)
    : all_(all), shape_(shape), learners_(learners) {
  for (int actor = 0; actor < actors; ++actor) {
    Way way;
    way.link = make_link(shards, actors, actor, learners, learner);
    if (way.link.shards.empty()) continue;
    way.words.resize(shape.most_words(way.link));
    ways_.push_back(std::move(way));
  }
  for (Way& way : ways_) receive(way);
}

Inbox::~Inbox() {
  for (Way& way : ways_) withdraw(&way.request);
}

void Inbox::receive(Way& way) {
  check_mpi(MPI_Irecv(way.words.data(), small_count(way.words.size()), MPI_FLOAT,
                      learners_ + way.link.actor, kBlockTag, all_.raw(), &way.request),
            "MPI_Irecv");
}

void Inbox::poll(TransitionSink& memory, const std::function<void(const BlockHeader&)>& arrived) {
  for (Way& way : ways_) {
    for (;;) {
      int done = 0, words = 0;
      MPI_Status status;
      check_mpi(MPI_Test(&way.request, &done, &status), "MPI_Test");
      if (done == 0) break;
      MPI_Get_count(&status, MPI_FLOAT, &words);
      const BlockHeader header =
          unpack_block(std::span<const float>(way.words).first(static_cast<std::size_t>(words)),
                       shape_, way.link, learners_, memory);
      way.rounds += header.rounds;
      receive(way);
      arrived(header);
    }
  }
}

std::uint64_t Inbox::rounds() const {
  std::uint64_t least = UINT64_MAX;
  for (const Way& way : ways_) least = std::min(least, way.rounds);
  return least;
}

void Inbox::reset() {
  for (Way& way : ways_) way.rounds = 0;
}

NewsSender::NewsSender(const comm::Communicator& all, std::vector<at::Tensor> parts, int learners,
                       int actors, int learner)
    : all_(all), parts_(std::move(parts)), slots_(2) {
  for (int actor = learner; actor < actors; actor += learners) {
    receivers_.push_back(learners + actor);
  }
  for (Slot& slot : slots_) {
    slot.words.resize(total_words(parts_));
    slot.requests.assign(receivers_.size(), MPI_REQUEST_NULL);
  }
}

NewsSender::~NewsSender() {
  for (Slot& slot : slots_) {
    for (MPI_Request& request : slot.requests) abandon(&request);
  }
}

void NewsSender::tell(const News& news) {
  next_ = news;
  waiting_ = !receivers_.empty();
  poll();
}

bool NewsSender::free(Slot& slot) {
  int done = 1;
  check_mpi(MPI_Testall(static_cast<int>(slot.requests.size()), slot.requests.data(), &done,
                        MPI_STATUSES_IGNORE),
            "MPI_Testall");
  return done != 0;
}

void NewsSender::poll() {
  for (Slot& slot : slots_) {
    if (!free(slot) || !waiting_) continue;
    send(slot);
    waiting_ = false;
  }
}

void NewsSender::send(Slot& slot) {
  std::memcpy(slot.words.data(), &next_, sizeof next_);
  float* at = slot.words.data() + kNewsWords;
  for (const at::Tensor& part : parts_) {
    at = std::copy_n(part.data_ptr<float>(), part.numel(), at);
  }
  for (std::size_t i = 0; i < receivers_.size(); ++i) {
    check_mpi(MPI_Isend(slot.words.data(), small_count(slot.words.size()), MPI_FLOAT, receivers_[i],
                        kNewsTag, all_.raw(), &slot.requests[i]),
              "MPI_Isend");
  }
}

bool NewsSender::idle() {
  poll();
  return !waiting_ &&
         std::all_of(slots_.begin(), slots_.end(), [this](Slot& s) { return free(s); });
}

NewsReceiver::NewsReceiver(const comm::Communicator& all, std::vector<at::Tensor> parts,
                           int learners, int actor)
    : all_(all), parts_(std::move(parts)), sender_(actor % learners), words_(total_words(parts_)) {
  receive();
}

NewsReceiver::~NewsReceiver() {
  withdraw(&request_);
}

void NewsReceiver::receive() {
  check_mpi(MPI_Irecv(words_.data(), small_count(words_.size()), MPI_FLOAT, sender_, kNewsTag,
                      all_.raw(), &request_),
            "MPI_Irecv");
}

void NewsReceiver::poll() {
  while (comm::completed(&request_)) {
    News news;
    std::memcpy(static_cast<void*>(&news), words_.data(), sizeof news);
    // What an evaluation brought may be newer.
    if (news.version >= news_.version && news.credited >= news_.credited) {
      const float* at = words_.data() + kNewsWords;
      for (const at::Tensor& part : parts_) {
        std::copy_n(at, part.numel(), part.data_ptr<float>());
        at += part.numel();
      }
      news_ = news;
    }
    receive();
  }
}

}  // namespace tenfold::ddpg
