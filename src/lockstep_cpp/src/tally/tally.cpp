#include "tally.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>

namespace lockstep
{

namespace
{

constexpr std::size_t CAPACITY = 4096;
constexpr const char * FOLDER = "LOCKSTEP_TALLY";

[[noreturn]] void give_up(const std::string & why)
{
  std::fprintf(stderr, "lockstep: cannot count the messages that are taken: %s\n", why.c_str());
  std::abort();
}

/// The table, in a file that outlives the process however that ends.
Taken * map_table()
{
  const char * const folder = std::getenv(FOLDER);
  if (folder == nullptr) {
    give_up(std::string(FOLDER) + " is not set");
  }
  const std::string path = std::string(folder) + "/" + std::to_string(getpid());
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  constexpr std::size_t SIZE = CAPACITY * sizeof(Taken);
  void * table = MAP_FAILED;
  // With its blocks: to write to a hole of a full disk would end the process.
  if (file >= 0 && (errno = posix_fallocate(file, 0, SIZE)) == 0) {
    table = mmap(nullptr, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  if (table == MAP_FAILED) {
    give_up(path + ": " + std::strerror(errno));
  }
  close(file);
  return static_cast<Taken *>(table);
}

class Tally
{
public:
  void add(const rmw_subscription_t & subscription)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    // Where there was another one before, that is gone.
    numbers_[&subscription] = ++subscriptions_;
    unused(subscription.topic_name, subscriptions_);
  }

  void add(const rmw_subscription_t & subscription, const rmw_message_info_t & info)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Taken & taken =
      entry(subscription.topic_name, numbers_[&subscription], info.publisher_gid.data);
    const std::uint64_t number = info.publication_sequence_number;
    taken.first = taken.count == 0 ? number : std::min(taken.first, number);
    taken.last = std::max(taken.last, number);
    ++taken.count;
  }

  void close(const rmw_subscription_t & subscription)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::uint64_t number = numbers_[&subscription];
    for (std::size_t i = 0; i < used_; ++i) {
      if (table_[i].subscription == number) {
        table_[i].closed = 1;
      }
    }
  }

private:
  Taken & entry(const char * topic, std::uint64_t subscription, const std::uint8_t * publisher)
  {
    for (std::size_t i = 0; i < used_; ++i) {
      Taken & taken = table_[i];
      if (taken.subscription != subscription) {
        continue;
      }
      if (taken.count == 0) {
        std::memcpy(taken.publisher, publisher, sizeof taken.publisher);
      }
      if (std::memcmp(taken.publisher, publisher, sizeof taken.publisher) == 0) {
        return taken;
      }
    }
    Taken & taken = unused(topic, subscription);
    std::memcpy(taken.publisher, publisher, sizeof taken.publisher);
    return taken;
  }

  Taken & unused(const char * topic, std::uint64_t subscription)
  {
    if (used_ == CAPACITY) {
      give_up("there are more than " + std::to_string(CAPACITY) + " subscriptions and publishers");
    }
    Taken & taken = table_[used_++];
    taken.subscription = subscription;
    std::strncpy(taken.topic, topic, Taken::TOPIC_SIZE - 1);
    return taken;
  }

  std::mutex mutex_;
  Taken * const table_ = map_table();
  std::size_t used_ = 0;
  std::uint64_t subscriptions_ = 0;
  std::unordered_map<const rmw_subscription_t *, std::uint64_t> numbers_;
};

/// Made at the first subscription, and never destroyed: threads take until the process is gone.
Tally & tally()
{
  static Tally * const tally = new Tally;
  return *tally;
}

}  // namespace

void note_subscription(const rmw_subscription_t & subscription) { tally().add(subscription); }

void note_end(const rmw_subscription_t & subscription) { tally().close(subscription); }

void note_taken(const rmw_subscription_t & subscription, const rmw_message_info_t & info)
{
  tally().add(subscription, info);
}

}  // namespace lockstep
