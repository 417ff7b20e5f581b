#include "proto/kad/action.hpp"

namespace starling::kad {

std::string_view to_string(QueryHop::Verdict verdict) noexcept {
  switch (verdict) {
    case QueryHop::Verdict::answered: return "answered";
    case QueryHop::Verdict::stored: return "stored";
    case QueryHop::Verdict::refused: return "refused";
    case QueryHop::Verdict::invalid: return "invalid";
    case QueryHop::Verdict::failed: return "failed";
    case QueryHop::Verdict::timed_out: return "timed-out";
    case QueryHop::Verdict::stalled: return "stalled";
    case QueryHop::Verdict::liar_discarded: return "liar-discarded";
  }
  return "?";
}

}  // namespace starling::kad
