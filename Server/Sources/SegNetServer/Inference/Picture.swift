internal import HTTPTypes
internal import SegNetToolkit

/// A file that a client sent to be segmented; its header is known to be within the limits.
struct Picture: Sendable {
    /// The client's name for it.
    let name: String
    let bytes: [UInt8]
    let header: PictureHeader
    private let limits: Limits

    /// Its name in annotations: the client's, or one with the ending of its format where it came without.
    var fileName: String {
        guard name == Self.unnamed else { return name }
        return "\(name).\(PictureFormat(of: bytes) == .png ? "png" : "jpg")"
    }

    /// The name of a picture that came without one.
    static let unnamed = "picture"

    /// - Throws: `Problem`: 400 empty or damaged, 413 too many pixels, 415 neither PNG nor JPEG.
    init(name: String, bytes: [UInt8], limits: Limits) throws(Problem) {
        self.name = name
        self.bytes = bytes
        self.limits = limits
        // The library reads other formats too, but each decoder that a service does not need is one more way to attack it.
        if let format = PictureFormat(of: bytes), format != .png, format != .jpeg {
            throw Self.otherFormat(name.shortened, bytes, likeness: "it is \(format.rawValue)")
        }
        do throws(ImageError) {
            header = try PictureHeader(decoding: bytes, name: name)
        } catch {
            throw Self.problem(error, name: name, bytes: bytes)
        }
        guard header.pixels <= limits.pixels else {
            throw Self.tooManyPixels(name, header.width, header.height, limits.pixels)
        }
    }

    /// - Throws: `Problem` 413 if the network would run on more pixels than allowed.
    func checkRunSize(_ size: Segmenter.RunSize, of model: ServedModel) throws(Problem) {
        guard size != .network else { return }
        let run = model.segmenter.runSize(width: header.width, height: header.height, size)
        // Sides are below 2^31 each.
        guard run.width * run.height <= limits.runPixels else {
            throw Problem(
                .contentTooLarge,
                "The network would run on \(run.width)x\(run.height) pixels; the service's limit is \(limits.runPixels). "
                    + "Use size=model, or a smaller WxH."
            )
        }
    }

    /// - Throws: `Problem` 413 if more pixels would be refined than a network may run on: a refinement is of the picture's own size.
    func checkRefinement(_ isRefined: Bool) throws(Problem) {
        guard isRefined, header.pixels > limits.runPixels else { return }
        throw Problem(
            .contentTooLarge,
            "The refinement would be of \(header.width)x\(header.height) pixels; the service's limit is \(limits.runPixels). "
                + "Send a smaller picture, or leave 'refine' out."
        )
    }

    /// - Throws: `Problem`: 400 damaged, 413 too large to decode.
    func decode() throws(Problem) -> Image {
        do throws(ImageError) {
            return try Image(decoding: bytes, name: name, limits: DecodingLimits(maximumPixels: limits.pixels))
        } catch {
            throw Self.problem(error, name: name, bytes: bytes)
        }
    }

    private static func tooManyPixels(_ name: String, _ width: Int, _ height: Int, _ limit: Int) -> Problem {
        Problem(
            .contentTooLarge,
            "'\(name.shortened)' has \(megapixels(width * height)) megapixels (\(width)x\(height)); the service takes up to "
                + "\(megapixels(limit)). Send a smaller picture."
        )
    }

    /// "3600", "12.5", "0.01": as many decimals as a person needs. Sides are below 2^31 each.
    private static func megapixels(_ pixels: Int) -> String {
        let hundredths = (pixels + 5000) / 10_000
        let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
        if whole >= 100 || rest == 0 { return "\(whole)" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// The library's messages are for those who can raise its limits; these are for clients.
    private static func problem(_ error: ImageError, name: String, bytes: [UInt8]) -> Problem {
        let name = name.shortened
        switch error.reason {
        case .empty: return Problem(.badRequest, "'\(name)' is empty. Send a PNG or JPEG photo.")
        case .unknownFormat(let likeness): return otherFormat(name, bytes, likeness: likeness)
        case .tooManyPixels(let width, let height, let limit): return tooManyPixels(name, width, height, limit)
        case .tooMuchMemory(let width, let height, let needed, let limit):
            return Problem(
                .contentTooLarge,
                "'\(name)' (\(width)x\(height) pixels) needs \(needed) bytes to decode; the limit is \(limit). Send a smaller picture, "
                    + "or save it as baseline JPEG."
            )
        case .damaged(let format, let detail):
            return Problem(
                .badRequest,
                "'\(name)' is a damaged or incomplete \(format) (\(detail)). Export and send it again."
            )
        default: return Problem(.badRequest, "'\(name)' cannot be read: \(error)")
        }
    }

    private static func otherFormat(_ name: String, _ bytes: [UInt8], likeness: String) -> Problem {
        let found = beginning(bytes).map { "it begins with '\($0)'" } ?? likeness
        return Problem(.unsupportedMediaType, "'\(name)' is not a PNG or JPEG: \(found). Send a PNG or JPEG photo.")
    }

    /// The first letters of what is text.
    private static func beginning(_ bytes: [UInt8]) -> String? {
        let first = bytes.prefix(5)
        return first.allSatisfy { (0x20...0x7E).contains($0) } ? String(decoding: first, as: UTF8.self) : nil
    }
}
