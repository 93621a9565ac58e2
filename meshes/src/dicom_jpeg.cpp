// The only file that knows GDCM: its decoders of the JPEG family.

#include <fcntl.h>
#include <gdcmImage.h>
#include <gdcmSequenceOfFragments.h>
#include <gdcmTrace.h>
#include <unistd.h>

#include <cstdio>

#include "dicom.hpp"

namespace cardiotwin::meshes::dicom {
namespace {

// The decoders print their complaints themselves; ours is the sentence that follows.
class Silence {
 public:
  Silence() : kept_(::dup(STDERR_FILENO)) {
    gdcm::Trace::DebugOff(), gdcm::Trace::WarningOff(), gdcm::Trace::ErrorOff();
    std::fflush(stderr);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO), ::close(nowhere);
  }
  ~Silence() {
    std::fflush(stderr);
    if (kept_ >= 0) ::dup2(kept_, STDERR_FILENO), ::close(kept_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  int kept_;
};

}  // namespace

bool unpack_jpeg(const File& file, std::span<const unsigned char> frame, std::span<char> to) {
  const Silence silence;
  const auto syntax = gdcm::TransferSyntax::GetTSType(file.syntax.c_str());
  if (syntax == gdcm::TransferSyntax::TS_END || frame.empty() || frame.size() % 2) return false;
  try {
    const auto bits = std::uint16_t(file.bits), stored = std::uint16_t(file.stored_bits);
    gdcm::Image image;
    image.SetNumberOfDimensions(2);
    image.SetDimension(0, unsigned(file.columns)), image.SetDimension(1, unsigned(file.rows));
    image.SetPixelFormat(gdcm::PixelFormat(1, bits, stored, std::uint16_t(stored - 1), file.is_signed));
    image.SetPhotometricInterpretation(gdcm::PhotometricInterpretation::MONOCHROME2);
    image.SetTransferSyntax(syntax);
    gdcm::Fragment fragment;
    fragment.SetByteValue(reinterpret_cast<const char*>(frame.data()), std::uint32_t(frame.size()));
    const gdcm::SmartPointer<gdcm::SequenceOfFragments> fragments = new gdcm::SequenceOfFragments;
    fragments->AddFragment(fragment);
    gdcm::DataElement pixels(gdcm::Tag(0x7fe0, 0x0010));
    pixels.SetVR(gdcm::VR::OB);
    pixels.SetValue(*fragments);
    image.SetDataElement(pixels);
    return image.GetBufferLength() == to.size() && image.GetBuffer(to.data());
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace cardiotwin::meshes::dicom
