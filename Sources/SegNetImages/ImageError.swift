internal import SegNetPlatform

/// A picture or a label map could not be read, written or made.
///
/// `description` is one sentence for the user: the file, what was found, what was needed, what to do.
public struct ImageError: Error, Sendable, Hashable {
    /// The file as the caller named it; nil for pictures that are in memory only.
    public let file: String?

    /// What went wrong.
    public let reason: Reason

    /// What went wrong with a picture.
    public enum Reason: Sendable, Hashable {
        /// The system cannot read the file; its words.
        case unreadable(String)
        /// The system cannot write the file; its words.
        case unwritable(String)
        /// The file holds more bytes than `DecodingLimits.maximumFileBytes`.
        case fileTooLarge(limit: Int)
        /// The file is empty.
        case empty
        /// The file does not begin like any supported format; what it is, or begins with: "it is a video".
        case unknownFormat(String)
        /// The header declares more pixels than `DecodingLimits.maximumPixels`.
        case tooManyPixels(width: Int, height: Int, limit: Int)
        /// Decoding needs more memory than `DecodingLimits.maximumMemory`.
        case tooMuchMemory(width: Int, height: Int, bytes: Int, limit: Int)
        /// The file is damaged or truncated.
        case damaged(format: String, detail: String)
        /// The library that decodes the format is not on this machine; the packages that contain it.
        case libraryMissing(format: String, library: String, debianPackage: String, homebrewPackage: String)
        /// The file is sound, but of a kind of its format that is not supported; which.
        case unsupported(format: String, detail: String)
        /// A label map was asked for, the file is a picture; what kind.
        case notLabels(String)
        /// A colour that the class table does not have.
        case unknownColor(Color, x: Int, y: Int, table: String)
        /// Sizes that have to be equal differ.
        case sizesDiffer(width: Int, height: Int, neededWidth: Int, neededHeight: Int)
        /// A width, height or channel count that no picture has, or that does not go with the number of values.
        case impossibleShape(width: Int, height: Int, channels: Int, values: Int)
        /// A class id that the requested kind of file cannot hold.
        case idTooLarge(Int, limit: Int)
        /// The encoder refuses; its words.
        case notEncodable(format: String, detail: String)
        /// The file name's ending is not that of a format in which pictures are written.
        case unknownExtension
    }

    init(_ file: String?, _ reason: Reason) {
        self.file = file
        self.reason = reason
    }

    /// The same failure of this file.
    func of(file: String) -> ImageError { ImageError(file, reason) }
}

extension ImageError: CustomStringConvertible {
    /// One sentence for the user: the file, what was found, what was needed, what to do.
    public var description: String { "\(RawFileName.display(file ?? "picture")): \(reason.sentence)." }
}

extension ImageError.Reason {
    fileprivate var sentence: String {
        switch self {
        case .unreadable(let words): "cannot be read (\(words)); check the path and its permissions"
        case .unwritable(let words):
            "cannot be written (\(words)); check the folder, its permissions and the free space"
        case .fileTooLarge(let limit):
            "holds more than \(limit) bytes, the limit for one picture; make it smaller, or raise "
                + "DecodingLimits.maximumFileBytes"
        case .empty: "is empty; fetch or export it again"
        case .unknownFormat(let found): "is not in a known picture format (\(found)); convert it to PNG or JPEG"
        case .tooManyPixels(let width, let height, let limit):
            "declares \(width)x\(height) pixels, more than the limit of \(limit); make it smaller, or raise "
                + "DecodingLimits.maximumPixels"
        case .tooMuchMemory(let width, let height, let bytes, let limit):
            "needs \(bytes) bytes to decode its \(width)x\(height) pixels, more than the limit of \(limit); "
                + "make it smaller, or raise DecodingLimits.maximumMemory"
        case .damaged(let format, let detail):
            "is a damaged or incomplete \(format) (\(detail)); fetch or export it again"
        case .libraryMissing(let format, let library, let debian, let homebrew):
            "is \(format), which \(library) decodes, and \(library) was not found; install it (Debian and Ubuntu: \(debian), "
                + "Homebrew: \(homebrew)), or convert the picture to PNG or JPEG"
        case .unsupported("HEIC", let detail), .unsupported("AVIF", let detail):
            "cannot be decoded by this libheif (\(detail)); install its plugins (Debian 13 and later: libheif-plugin-libde265 for HEIC, "
                + "libheif-plugin-dav1d for AVIF), or convert the picture to PNG or JPEG"
        case .unsupported(let format, let detail):
            "is a kind of \(format) that is not supported (\(detail)); convert it to PNG or JPEG"
        case .notLabels(let found):
            "is \(found), not a label map; labels are gray or palette PNGs or TIFFs whose values are class ids. "
                + "Painted labels are read as \(UserChoice.coloredLabels) with the \(UserChoice.classes), or can be \(UserChoice.labelConversion)"
        case .unknownColor(let color, let x, let y, let table):
            "has the colour \(color) at x \(x), y \(y), which is not a class of '\(table)'; choose the table the "
                + "labels were painted with, or add the colour to it"
        case .sizesDiffer(let width, let height, let neededWidth, let neededHeight):
            "is \(width)x\(height), but the picture it belongs to is \(neededWidth)x\(neededHeight); resize one "
                + "to the other"
        case .impossibleShape(let width, let height, _, 0):
            "cannot be \(width)x\(height) pixels; a picture has at least 1x1, and not more than memory can hold; use another \(UserChoice.size)"
        case .impossibleShape(let width, let height, let channels, let values):
            "cannot be \(width)x\(height) with \(channels) channels and \(values) values; a picture has at "
                + "least 1x1 pixels, 1, 3 or 4 channels, and width x height x channels values"
        case .idTooLarge(let id, let limit):
            "cannot hold class id \(id), the greatest is \(limit); write 16-bit gray without a palette, or "
                + "renumber the classes"
        case .notEncodable(let format, let detail):
            "cannot be written as \(format) (\(detail)); choose another size or format"
        case .unknownExtension: "does not end in .png, .jpg or .jpeg; choose a name that says the format"
        }
    }
}
