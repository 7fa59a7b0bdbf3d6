/// What entities have received: the order of messages, the depth of queues, and who gets what.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "process/entities.hpp"

using namespace rmw_lockstep;

namespace
{

Message message_of(std::uint8_t content)
{
  Message message;
  message.payload =
    std::make_shared<const std::vector<std::uint8_t>>(std::vector<std::uint8_t>{content});
  return message;
}

Entity subscription_of(const std::string & topic, std::size_t depth = 10)
{
  Entity entity;
  entity.kind = EntityKind::subscription;
  entity.name = topic;
  entity.type = "std_msgs/msg/String";
  entity.qos.history = RMW_QOS_POLICY_HISTORY_KEEP_LAST;
  entity.qos.depth = depth;
  return entity;
}

/// The contents of all that can be taken.
std::vector<int> taken(Entities & entities, Entity & entity)
{
  std::vector<int> contents;
  Message message;
  while (entities.take(entity, message)) {
    contents.push_back(message.payload->at(0));
  }
  return contents;
}

}  // namespace

TEST(Entities, a_queue_keeps_the_last_and_counts_what_it_drops)
{
  Entities entities;
  Entity entity = subscription_of("/a", 2);
  entities.add(entity);
  for (std::uint8_t content = 0; content < 5; ++content) {
    entities.put(entity, message_of(content));
  }
  EXPECT_EQ(entity.dropped, 3U);
  EXPECT_EQ(entities.with_messages().size(), 2U);
  EXPECT_EQ(taken(entities, entity), (std::vector<int>{3, 4}));
  EXPECT_TRUE(entities.with_messages().empty());
}

TEST(Entities, a_queue_that_keeps_all_drops_nothing)
{
  Entities entities;
  Entity entity = subscription_of("/a", 2);
  entity.qos.history = RMW_QOS_POLICY_HISTORY_KEEP_ALL;
  entities.add(entity);
  for (int i = 0; i < 1000; ++i) {
    entities.put(entity, message_of(0));
  }
  EXPECT_EQ(entity.dropped, 0U);
  EXPECT_EQ(taken(entities, entity).size(), 1000U);
}

TEST(Entities, messages_are_known_in_the_order_in_which_they_came)
{
  Entities entities;
  Entity a = subscription_of("/a");
  Entity b = subscription_of("/b");
  Entity c = subscription_of("/c", 1);
  for (Entity * entity : {&a, &b, &c}) {
    entities.add(*entity);
  }
  for (Entity * entity : {&c, &a, &b, &a, &c}) {  // the first of c has no room in the end
    entities.put(*entity, message_of(0));
  }
  EXPECT_EQ(entities.with_messages(), (std::deque<Entity *>{&a, &b, &a, &c}));
  entities.remove(a);
  EXPECT_EQ(entities.with_messages(), (std::deque<Entity *>{&b, &c}));
}

TEST(Entities, a_queue_that_is_offered_in_vain_is_left_until_something_is_taken)
{
  Entities entities;
  Entity entity = subscription_of("/a");
  entities.add(entity);
  entities.put(entity, message_of(1));
  entities.put(entity, message_of(2));
  entity.offers = 9;
  EXPECT_FALSE(entity.is_left_waiting());
  ++entity.offers;
  EXPECT_TRUE(entity.is_left_waiting());
  Message message;
  entities.take(entity, message);
  EXPECT_FALSE(entity.is_left_waiting());
}

TEST(Entities, subscriptions_are_found_by_topic_and_entities_by_number)
{
  Entities entities;
  Entity first = subscription_of("/a");
  Entity other = subscription_of("/b");
  Entity second = subscription_of("/a");
  Entity publisher = subscription_of("/a");
  publisher.kind = EntityKind::publisher;
  for (Entity * entity : {&first, &other, &second, &publisher}) {
    entities.add(*entity);
  }
  EXPECT_EQ(entities.subscriptions("/a"), (std::vector<Entity *>{&first, &second}));
  EXPECT_TRUE(entities.subscriptions("/nowhere").empty());
  EXPECT_EQ(entities.find(EntityKind::publisher, publisher.id), &publisher);
  EXPECT_EQ(entities.find(EntityKind::client, publisher.id), nullptr);
  entities.remove(first);
  EXPECT_EQ(entities.subscriptions("/a"), (std::vector<Entity *>{&second}));
  EXPECT_EQ(entities.find(EntityKind::subscription, first.id), nullptr);
}

TEST(Entities, there_are_as_many_as_numbers)
{
  Entities entities;
  std::vector<std::unique_ptr<Entity>> many;
  for (int i = 0; i < 65535; ++i) {
    many.push_back(std::make_unique<Entity>(subscription_of("/topic" + std::to_string(i))));
    EXPECT_EQ(entities.add(*many.back()), i + 1);
  }
  EXPECT_EQ(entities.subscriptions("/topic9999").at(0)->id, 10000);
  Entity last = subscription_of("/last");
  EXPECT_EXIT(
    entities.add(last), testing::ExitedWithCode(3),
    "rmw_lockstep: this process has made more than 65535 entities");
}

TEST(Entities, who_offers_less_than_is_wanted_is_not_heard)
{
  Endpoint publisher;
  publisher.name = "/a";
  publisher.type = "std_msgs/msg/String";
  publisher.qos.reliability = RMW_QOS_POLICY_RELIABILITY_RELIABLE;
  publisher.qos.durability = RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL;
  Endpoint subscription = publisher;
  subscription.kind = EntityKind::subscription;
  EXPECT_TRUE(are_matched(publisher, subscription));
  Endpoint careless = publisher;
  careless.qos.reliability = RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT;
  EXPECT_FALSE(are_matched(careless, subscription));
  Endpoint forgetful = publisher;
  forgetful.qos.durability = RMW_QOS_POLICY_DURABILITY_VOLATILE;
  EXPECT_FALSE(are_matched(forgetful, subscription));
  Endpoint other = publisher;
  other.type = "std_msgs/msg/Int32";
  EXPECT_FALSE(are_matched(other, subscription));
  subscription.qos = careless.qos;
  EXPECT_TRUE(are_matched(careless, subscription));
  EXPECT_TRUE(are_matched(publisher, subscription));
}

TEST(Entities, gids_differ_by_number_and_process)
{
  Endpoint a;
  a.id = 1;
  Endpoint b = a;
  b.process = 2;
  Endpoint c = a;
  c.id = 2;
  EXPECT_EQ(gid_of(a), gid_of(a));
  EXPECT_NE(gid_of(a), gid_of(b));
  EXPECT_NE(gid_of(a), gid_of(c));
}
