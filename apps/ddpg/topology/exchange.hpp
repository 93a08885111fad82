// What acting and learning ranks send each other: transitions one way, parameters the other. All
// without waiting; nothing here is collective.
#pragma once

#include <ATen/core/Tensor.h>
#include <mpi.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "ddpg/topology/block.hpp"

namespace tenfold::ddpg {

/// An acting rank's blocks to all learners.
class Outbox : public TransitionSink {
 public:
  /// all: the ranks of the run, learners first. actor: this rank among the actors.
  Outbox(const comm::Communicator& all, const BlockShape& shape, std::size_t shards, int learners,
         int actors, int actor);
  ~Outbox() override;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// Before the transitions of a round, taken with parameters of this version.
  void begin_round(std::uint64_t round, std::uint64_t version);
  void add(std::size_t local_shard, std::span<const float> observation,
           std::span<const float> action, float reward, std::span<const float> next_observation,
           rl::Ending ending) override;
  void add_frame(std::size_t local_shard, std::size_t environment,
                 std::span<const std::uint8_t> frame, std::span<const float> action, float reward,
                 std::span<const std::uint8_t> next_frame, rl::Ending ending) override;
  /// Sends the blocks that are full.
  void end_round();
  /// Sends what there is.
  void flush();
  /// Whether all that was sent has been taken over; moves it on.
  bool delivered();

 private:
  struct Way {
    Link link;
    BlockWriter writer;
  };
  struct Sent {
    std::vector<float> words;
    MPI_Request request = MPI_REQUEST_NULL;
  };
  void send(Way& way);

  comm::Communicator all_;
  int actors_, actor_;
  std::vector<Way> ways_;            ///< of learners with shards of this actor
  std::vector<std::size_t> way_of_;  ///< by local shard
  std::deque<Sent> sent_;            ///< oldest first; addresses of words stay
  std::vector<std::vector<float>> spare_;
};

/// A learning rank's blocks from all actors.
class Inbox {
 public:
  Inbox(const comm::Communicator& all, const BlockShape& shape, std::size_t shards, int learners,
        int actors, int learner);
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// Puts what has come into memory; told of every block's header.
  void poll(TransitionSink& memory, const std::function<void(const BlockHeader&)>& arrived);
  /// Rounds since the last reset() that are whole in all shards of this learner.
  std::uint64_t rounds() const;
  void reset();

 private:
  struct Way {
    Link link;
    std::vector<float> words;
    MPI_Request request = MPI_REQUEST_NULL;
    std::uint64_t rounds = 0;
  };
  void receive(Way& way);

  comm::Communicator all_;
  BlockShape shape_;
  int learners_;
  std::vector<Way> ways_;
};

/// How far learning is, beside the parameters that it came to.
struct News {
  std::uint64_t version = 0;   ///< updates behind the parameters
  std::uint64_t credited = 0;  ///< rounds that came in, over the whole run
  double backlog = 0;          ///< updates due
};

/// A learning rank's news to the actors that it serves: actor a is served by learner a mod L.
class NewsSender {
 public:
  /// parts: what the parameters are, float32, contiguous.
  NewsSender(const comm::Communicator& all, std::vector<at::Tensor> parts, int learners, int actors,
             int learner);
  ~NewsSender();
  NewsSender(const NewsSender&) = delete;
  NewsSender& operator=(const NewsSender&) = delete;

  /// Sends news and the parameters as they are, once those before the last have been taken over:
  /// only the newest are kept until then.
  void tell(const News& news);
  void poll();
  /// Whether nothing waits to be sent or taken over.
  bool idle();

 private:
  struct Slot {
    std::vector<float> words;
    std::vector<MPI_Request> requests;
  };
  bool free(Slot& slot);
  void send(Slot& slot);

  comm::Communicator all_;
  std::vector<at::Tensor> parts_;
  std::vector<int> receivers_;
  std::vector<Slot> slots_;
  News next_;
  bool waiting_ = false;
};

class NewsReceiver {
 public:
  /// parts: where the parameters go, as NewsSender's.
  NewsReceiver(const comm::Communicator& all, std::vector<at::Tensor> parts, int learners,
               int actor);
  ~NewsReceiver();
  NewsReceiver(const NewsReceiver&) = delete;
  NewsReceiver& operator=(const NewsReceiver&) = delete;

  /// Takes over what has come.
  void poll();
  const News& news() const { return news_; }
  /// The parameters in place, and what they are.
  void set(const News& news) { news_ = news; }

 private:
  void receive();

  comm::Communicator all_;
  std::vector<at::Tensor> parts_;
  int sender_;
  std::vector<float> words_;
  MPI_Request request_ = MPI_REQUEST_NULL;
  News news_;
};

}  // namespace tenfold::ddpg
