#pragma once

#include <rmw/types.h>

#include <cstddef>
#include <cstdint>

namespace lockstep
{

/// What a subscription has taken of one publisher; twin of the table that run/tally.py reads.
struct Taken
{
  static constexpr std::size_t TOPIC_SIZE = 256;

  char topic[TOPIC_SIZE];      // ends with 0; empty: not used yet
  std::uint64_t subscription;  // its number in this process, from 1
  std::uint64_t count;         // 0: the subscription is there, and has taken nothing yet
  std::uint64_t first;         // numbers that the publisher gave to its messages,
  std::uint64_t last;          // UINT64_MAX where the middleware gives none
  std::uint8_t publisher[RMW_GID_STORAGE_SIZE];
  std::uint64_t closed;  // 1: the node has given the subscription up
};

/// Note that a subscription has been made. What cannot be noted ends the process.
void note_subscription(const rmw_subscription_t & subscription);

/// Note that the node gives a subscription up.
void note_end(const rmw_subscription_t & subscription);

/// Note that a subscription has taken a message.
void note_taken(const rmw_subscription_t & subscription, const rmw_message_info_t & info);

}  // namespace lockstep
