// The only file that sees spdlog: its headers cost seconds.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "runtime/system.hpp"

namespace starling::runtime {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::trace: return spdlog::level::trace;
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

class StandardErrorLog final : public Log {
 public:
  explicit StandardErrorLog(LogLevel level)
      : level_(level), logger_("starling", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()) {
    logger_.set_level(to_spdlog(level));
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%L%$ %v");
  }
  bool enabled(LogLevel level) const noexcept override { return level >= level_; }
  void write(LogLevel level, std::string_view module, std::string_view text) override {
    if (enabled(level)) logger_.log(to_spdlog(level), "{}: {}", module, text);
  }

 private:
  LogLevel level_;
  spdlog::logger logger_;
};

class FunctionLog final : public Log {
 public:
  FunctionLog(LogLevel level, LogFunction sink) : level_(level), sink_(std::move(sink)) {}
  bool enabled(LogLevel level) const noexcept override { return level >= level_; }
  void write(LogLevel level, std::string_view module, std::string_view text) override {
    if (enabled(level)) sink_(level, module, text);
  }

 private:
  LogLevel level_;
  LogFunction sink_;
};

}  // namespace

std::unique_ptr<Log> make_log(LogLevel level, LogFunction sink) {
  if (sink) return std::make_unique<FunctionLog>(level, std::move(sink));
  return std::make_unique<StandardErrorLog>(level);
}

}  // namespace starling::runtime
