internal import CSegNetCodecs
internal import SegNetPlatform

/// Libraries that are loaded when they are needed, for formats that not every machine has to read.
package enum PictureLibrary: String, CaseIterable, Sendable {
    case tiff = "libtiff"
    case webp = "libwebp"
    case heif = "libheif"
    case gif = "giflib"
    case lcms = "Little CMS"

    /// Whether it is on this machine.
    package var isThere: Bool { snc_library_is_there(library) != 0 }

    /// The package in Debian and Ubuntu.
    package var debianPackage: String {
        switch self {
        case .tiff: "libtiff6"
        case .webp: "libwebp7"
        case .heif: "libheif1"
        case .gif: "libgif7"
        case .lcms: "liblcms2-2"
        }
    }

    package var homebrewPackage: String {
        switch self {
        case .tiff: "libtiff"
        case .webp: "webp"
        case .heif: "libheif"
        case .gif: "giflib"
        case .lcms: "little-cms2"
        }
    }

    private var library: snc_library {
        switch self {
        case .tiff: SNC_LIBRARY_TIFF
        case .webp: SNC_LIBRARY_WEBP
        case .heif: SNC_LIBRARY_HEIF
        case .gif: SNC_LIBRARY_GIF
        case .lcms: SNC_LIBRARY_LCMS
        }
    }

    /// The error for what a function of CSegNetOptionalCodecs.h has returned.
    func error(_ format: PictureFormat, _ failure: (code: Int32, text: String)) -> ImageError {
        switch UInt32(bitPattern: failure.code) {
        case SNC_LIBRARY_MISSING.rawValue: missing(format)
        case SNC_UNSUPPORTED.rawValue:
            ImageError(nil, .unsupported(format: format.rawValue, detail: failure.text))
        default: ImageError(nil, .damaged(format: format.rawValue, detail: failure.text))
        }
    }

    func missing(_ format: PictureFormat) -> ImageError {
        ImageError(
            nil,
            .libraryMissing(
                format: format.rawValue,
                library: rawValue,
                debianPackage: debianPackage,
                homebrewPackage: homebrewPackage
            )
        )
    }
}

/// Notes about pictures that could be read all the same, each sentence once.
package enum PictureNotes {
    private static let notes = Monitor<(said: Set<String>, waiting: [String])>((said: [], waiting: []))

    static func add(_ note: String) {
        notes.withLock { notes in
            if notes.said.insert(note).inserted { notes.waiting.append(note) }
        }
    }

    /// The sentences that nobody has taken yet.
    package static func take() -> [String] {
        notes.withLock { notes in
            defer { notes.waiting = [] }
            return notes.waiting
        }
    }
}
