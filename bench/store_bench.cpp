// What keeping a record costs a DHT server: rows a second into the database of the data directory, with the
// transactions that a turn of the node makes.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include "base/assert.hpp"
#include "base/rng.hpp"
#include "home/store.hpp"

namespace starling {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRecordBytes = 600;  // a presence with a few addresses, as it is kept

/// Rows of `what` in transactions of `state.range(0)`; 0 is one each, without begin() and commit().
void keep(benchmark::State& state, node::Kept what) {
  std::string name = (fs::temp_directory_path() / "starling-bench-XXXXXX").string();
  STARLING_ASSERT(::mkdtemp(name.data()) != nullptr);
  {
    auto store = home::Store::open(fs::path(name) / "node.db");
    STARLING_ASSERT(store.has_value());
    SeededRng rng(1);
    const auto batch = static_cast<std::size_t>(std::max<std::int64_t>(1, state.range(0)));
    Bytes value(kRecordBytes);
    rng.fill(value);
    std::int64_t rows = 0;
    for (auto _ : state) {
      if (state.range(0) > 0) STARLING_ASSERT(store->begin().has_value());
      for (std::size_t i = 0; i < batch; ++i) {
        // As many keys as a well-filled server holds, so that most are replaced.
        Bytes key = to_bytes("/eth/0x");
        put_u64_be(key, rng.below(20'000));
        STARLING_ASSERT(store->keep(what, key, value).has_value());
      }
      if (state.range(0) > 0) STARLING_ASSERT(store->commit().has_value());
      rows += static_cast<std::int64_t>(batch);
    }
    state.SetItemsProcessed(rows);
  }
  fs::remove_all(name);
}

void records(benchmark::State& state) { keep(state, node::Kept::dht_record); }
/// The same when every transaction waits for the disk.
void records_on_disk(benchmark::State& state) { keep(state, node::Kept::issued); }

BENCHMARK(records)->Arg(0)->Arg(1)->Arg(8)->Arg(64)->Arg(512)->UseRealTime();
BENCHMARK(records_on_disk)->Arg(0)->Arg(8)->Arg(64)->Arg(512)->UseRealTime();

}  // namespace
}  // namespace starling

BENCHMARK_MAIN();
