#pragma once
// A hash map for many maps of few entries each.
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace starling {

/// Entries in allocations of their own behind an open index of pointers. Beside std::unordered_map: no chain
/// to follow and no hash computed again on the way, and an idle map holds nine bytes for each place that it
/// once needed, where a flat map would hold whole entries. Entries stay where they are until they are erased.
/// The order of iteration means nothing. The caller bounds it.
template <class Key, class Value>
class NodeMap {
 public:
  using Entry = std::pair<const Key, Value>;

  /// Nothing found: nullptr.
  Value* find(const Key& key) {
    const auto it = index_.find(key);
    return it == index_.end() ? nullptr : &(*it)->second;
  }
  const Value* find(const Key& key) const {
    const auto it = index_.find(key);
    return it == index_.end() ? nullptr : &(*it)->second;
  }
  bool contains(const Key& key) const { return index_.contains(key); }
  /// Made when it is not there.
  Value& operator[](const Key& key) {
    if (Value* present = find(key)) return *present;
    return (*index_.insert(std::make_unique<Entry>(key, Value())).first)->second;
  }
  bool erase(const Key& key) {
    const auto it = index_.find(key);
    if (it == index_.end()) return false;
    index_.erase(it);
    return true;
  }
  std::size_t size() const noexcept { return index_.size(); }
  bool empty() const noexcept { return index_.empty(); }
  template <class Action>
  void for_each(Action action) const {
    for (const auto& entry : index_) action(std::as_const(entry->first), std::as_const(entry->second));
  }

 private:
  using Item = std::unique_ptr<Entry>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Key& key) const { return std::hash<Key>{}(key); }
    std::size_t operator()(const Item& item) const { return std::hash<Key>{}(item->first); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Item& a, const Item& b) const { return a->first == b->first; }
    bool operator()(const Key& key, const Item& item) const { return key == item->first; }
    bool operator()(const Item& item, const Key& key) const { return key == item->first; }
  };
  boost::unordered_flat_set<Item, Hash, Equal> index_;
};

}  // namespace starling
