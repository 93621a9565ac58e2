#include <cardiotwin/provenance.hpp>

namespace cardiotwin {

std::string version() {
  const std::string revision = CARDIOTWIN_REVISION;
  return revision.empty() ? CARDIOTWIN_VERSION : std::string(CARDIOTWIN_VERSION) + "+" + revision;
}

}  // namespace cardiotwin
