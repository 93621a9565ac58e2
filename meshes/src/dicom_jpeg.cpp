// The only file that knows GDCM: its decoders of the JPEG family.

#include <fcntl.h>
#include <gdcmImage.h>
#include <gdcmSequenceOfFragments.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "dicom.hpp"

namespace cardiotwin::meshes::dicom {
namespace {

bool decode(const File& file, std::span<const unsigned char> frame, std::span<char> to) {
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

}  // namespace

// In a process of its own: on damaged frames the decoders print, fail assertions or loop.
bool unpack_jpeg(const File& file, std::span<const unsigned char> frame, std::span<char> to) {
  void* shared = ::mmap(nullptr, to.size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return false;
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::alarm(60);
    if (const int nowhere = ::open("/dev/null", O_WRONLY); nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
    ::_exit(decode(file, frame, {static_cast<char*>(shared), to.size()}) ? 0 : 1);
  }
  int status = -1;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool read = child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (read) std::memcpy(to.data(), shared, to.size());
  ::munmap(shared, to.size());
  return read;
}

}  // namespace cardiotwin::meshes::dicom
