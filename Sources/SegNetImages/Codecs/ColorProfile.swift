internal import CSegNetCodecs

/// Converts the colours of a file's ICC profile to sRGB, with which networks have been trained. Most files have no profile.
final class ColorProfile: Sendable {
    private nonisolated(unsafe) let colors: OpaquePointer

    /// Nil if there is nothing to do or nothing can be done: the library is not there, or the profile is damaged or not for RGB. A note
    /// reports a missing library.
    init?(_ profile: [UInt8], channels: Int) {
        guard !profile.isEmpty, channels >= 3 else { return nil }
        var made: OpaquePointer?
        let failure = profile.withUnsafeBufferPointer { bytes in
            codecMessage { message in
                guard let start = bytes.baseAddress else { return 1 }
                return snc_colors_open(start, bytes.count, Int32(channels), &made, message)
            }
        }
        if failure?.code == Int32(SNC_LIBRARY_MISSING.rawValue) {
            let library = PictureLibrary.lcms
            PictureNotes.add(
                "colour profiles of pictures are not applied, because \(library.rawValue) was not found; install it (Debian and "
                    + "Ubuntu: \(library.debianPackage), Homebrew: \(library.homebrewPackage)) to see their true colours."
            )
        }
        guard let made else { return nil }
        colors = made
    }

    deinit { snc_colors_close(colors) }

    /// Converts interleaved pixels in place, with as many channels as `init` was given. Alpha is unchanged.
    func convert(_ pixels: UnsafeMutableBufferPointer<UInt8>, channels: Int) {
        guard let start = pixels.baseAddress else { return }
        snc_colors_convert(colors, start, pixels.count / channels)
    }
}

extension Image {
    /// The picture with its colours in sRGB.
    func converted(from profile: [UInt8]) -> Image {
        guard let conversion = ColorProfile(profile, channels: channels) else { return self }
        var pixels = pixels
        pixels.withUnsafeMutableBufferPointer { conversion.convert($0, channels: channels) }
        return Image(uncheckedWidth: width, height: height, channels: channels, pixels: pixels)
    }
}
