#include "daemon/control_loop.hpp"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace starling::daemon {
namespace {

TEST(ControlLoop, DoesWorkInTheOrderInWhichItWasPostedWhoeverPostsIt) {
  ControlLoop loop;
  loop.start();
  std::vector<int> order;
  std::promise<void> own_posted;
  std::promise<void> other_posted;
  std::promise<void> done;
  loop.post([&] {
    loop.post([&] { order.push_back(1); });
    own_posted.set_value();
    other_posted.get_future().get();  // the other thread posts while this handler still runs
  });
  own_posted.get_future().get();
  loop.post([&] {
    order.push_back(2);
    done.set_value();
  });
  other_posted.set_value();
  done.get_future().get();
  loop.post([&] { order.push_back(3); });
  std::promise<void> end;
  loop.post([&] { end.set_value(); });
  end.get_future().get();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

}  // namespace
}  // namespace starling::daemon
