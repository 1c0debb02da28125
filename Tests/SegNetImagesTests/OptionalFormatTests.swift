import SegNetPlatform
import Testing

@testable import SegNetImages

/// A file in `Goldens/formats`, the library that it takes, and the file that it must decode to.
struct FormatCase: Sendable, CustomTestStringConvertible {
    var file: String
    /// Without ending.
    var expected: String
    /// How far a sample may be from the expected one, because of losses in compression and in the conversion to RGB.
    var tolerance: (mean: Double, most: Int) = (0, 0)

    var testDescription: String { file }

    init(_ file: String, _ expected: String? = nil, mean: Double = 0, most: Int = 0) {
        self.file = file
        self.expected = expected ?? String(file.prefix { $0 != "." })
        tolerance = (mean, most)
    }

    /// Reads the picture both ways, and compares.
    func check() throws {
        let path = Goldens.folder + "formats/" + file
        let bytes = try Goldens.bytes("formats/" + file)
        let wanted = try Goldens.picture("formats/" + expected)
        for image in [try Image(path: path), try Image(decoding: bytes, name: file)] {
            #expect(image.description == wanted.description)
            guard image.pixels.count == wanted.pixels.count else { continue }
            let differences = zip(image.pixels, wanted.pixels).map { abs(Int($0) - Int($1)) }
            #expect((differences.max() ?? 0) <= tolerance.most)
            #expect(Double(differences.reduce(0, +)) / Double(differences.count) <= tolerance.mean)
        }
        for header in [try PictureHeader(path: path), try PictureHeader(decoding: bytes, name: file)] {
            #expect((header.width, header.height) == (wanted.width, wanted.height))
        }
        #expect(try PictureHeader(path: path).format == PictureFormat(of: bytes)?.rawValue)
    }
}

@Suite("WebP, HEIC, AVIF, GIF and BMP")
struct OptionalFormatTests {
    @Test(
        "WebP, as cwebp and Pillow write it",
        .enabled(if: PictureLibrary.webp.isThere, "libwebp is not on this machine"),
        arguments: [
            FormatCase("lossless.webp"), FormatCase("lossy.webp", mean: 0.5, most: 3), FormatCase("alpha.webp"),
            FormatCase("turned.webp"),
        ]
    )
    func webP(file: FormatCase) throws { try file.check() }

    @Test(
        "HEIC and AVIF, as libheif writes them",
        .enabled(if: PictureLibrary.heif.isThere, "libheif is not on this machine"),
        arguments: [
            FormatCase("photo.heic", "photo-heic", mean: 1, most: 4),
            FormatCase("alpha.heic", "alpha-heic", mean: 1, most: 4),
            FormatCase("turned.heic", "turned-heic", mean: 1, most: 4),
            FormatCase("photo.avif", "photo-avif", mean: 1, most: 4),
        ]
    )
    func heif(file: FormatCase) throws { try file.check() }

    @Test(
        "sides of 2^31 - 1 are refused, not multiplied",
        .enabled(if: PictureLibrary.heif.isThere, "libheif is not here")
    )
    func extremes() throws {
        var bytes = try Goldens.bytes("formats/photo.heic")
        let place = try #require((0..<bytes.count - 16).first { Array(bytes[$0..<$0 + 4]) == Array("ispe".utf8) })
        bytes.replaceSubrange(place + 8..<place + 16, with: [127, 255, 255, 255, 127, 255, 255, 255])
        // Newer versions of the library have a limit of their own.
        for limits in [DecodingLimits(), DecodingLimits(maximumPixels: .max)] {
            #expect(text { try Image(decoding: bytes, name: "a.heic", limits: limits) }.hasPrefix("a.heic: "))
        }
    }

    @Test(
        "the first frame of a GIF",
        .enabled(if: PictureLibrary.gif.isThere, "giflib is not on this machine"),
        arguments: [
            FormatCase("plain.gif", "plain-gif"), FormatCase("interlaced.gif", "plain-gif"),
            FormatCase("transparent.gif", "transparent-gif"), FormatCase("animated.gif", "plain-gif"),
        ]
    )
    func gif(file: FormatCase) throws { try file.check() }

    @Test(
        "BMP with palettes, masks and rows from either side",
        arguments: [
            FormatCase("rgb.bmp", "rgb-bmp"), FormatCase("palette8.bmp", "palette8-bmp"),
            FormatCase("palette4.bmp", "palette4-bmp"), FormatCase("bits1.bmp", "bits1-bmp"),
            FormatCase("rgb565.bmp", "rgb565-bmp"), FormatCase("bgra.bmp", "bgra-bmp"),
        ]
    )
    func bmp(file: FormatCase) throws { try file.check() }

    @Test(
        "colours of a profile are brought to sRGB, and transparent pixels keep their alpha",
        .enabled(if: PictureLibrary.lcms.isThere && PictureLibrary.webp.isThere, "Little CMS or libwebp is not here")
    )
    func profile() throws {
        let wanted = try Goldens.picture("formats/profile")
        let image = try Image(path: Goldens.folder + "formats/profile.webp")
        #expect(zip(image.pixels, wanted.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 2 })
        // Without its profile the file has other colours.
        #expect(image != (try Goldens.picture("formats/lossless")))
        let clear = try Image(width: 2, height: 1, channels: 4, pixels: [10, 200, 30, 0, 250, 20, 90, 77])
        let bytes = try Goldens.bytes("formats/profile.webp")
        let start = try #require((0..<bytes.count - 4).first { Array(bytes[$0..<$0 + 4]) == Array("ICCP".utf8) })
        let count = Int(bytes[start + 4]) | Int(bytes[start + 5]) << 8
        let converted = clear.converted(from: Array(bytes[start + 8..<start + 8 + count]))
        #expect((converted.pixels[3], converted.pixels[7]) == (0, 77))
        #expect(converted != clear)
        #expect(clear.converted(from: [1, 2, 3]) == clear)
    }

    @Test(
        "the error for an animated WebP says what it is",
        .enabled(if: PictureLibrary.webp.isThere, "libwebp is not here")
    )
    func animated() {
        #expect(
            text { try Image(path: Goldens.folder + "formats/animated.webp") }
                == Goldens.folder
                + "formats/animated.webp: is a kind of WebP that is not supported (it is an animation); convert it to PNG or JPEG."
        )
    }

    @Test("the error for a missing library names its packages", arguments: PictureLibrary.allCases)
    func missing(library: PictureLibrary) {
        let error = library.missing(.heic).of(file: "trip/a.heic")
        #expect(
            "\(error)"
                == "trip/a.heic: is HEIC, which \(library.rawValue) decodes, and \(library.rawValue) was not found; install it "
                + "(Debian and Ubuntu: \(library.debianPackage), Homebrew: \(library.homebrewPackage)), or convert the picture to PNG or JPEG."
        )
    }

    /// Whole files, and the libraries that read them.
    static let whole: [(file: String, library: PictureLibrary?)] = [
        ("lossless.webp", .webp), ("photo.heic", .heif), ("photo.avif", .heif), ("plain.gif", .gif), ("rgb.bmp", nil),
        ("strips-lzw.tif", .tiff), ("geo-big-tiles.tif", .tiff), ("jpeg-tiles.tif", .tiff), ("palette4.bmp", nil),
    ]

    @Test("a file that was cut short is refused at any length", arguments: whole.map(\.file))
    func truncated(file: String) throws {
        guard Self.whole.first(where: { $0.file == file })?.library?.isThere ?? true else { return }
        let bytes = try Goldens.bytes("formats/" + file)
        var refused = 0
        let lengths = Array(stride(from: 20, to: bytes.count * 9 / 10, by: max(1, bytes.count / 40)))
        for length in lengths {
            let said = text { try Image(decoding: Array(bytes.prefix(length)), name: file) }
            if !said.hasPrefix("no error"), said.hasPrefix(file) { refused += 1 }
        }
        #expect(refused == lengths.count)
    }

    @Test("a header that promises too much is refused before memory is taken", arguments: whole.map(\.file))
    func limits(file: String) throws {
        guard Self.whole.first(where: { $0.file == file })?.library?.isThere ?? true else { return }
        let bytes = try Goldens.bytes("formats/" + file)
        let few = DecodingLimits(maximumPixels: 45 * 37 - 1)
        #expect(
            text { try Image(decoding: bytes, name: file, limits: few) }
                == "\(file): declares 45x37 pixels, more than the limit of 1664; make it smaller, or raise DecodingLimits.maximumPixels."
        )
        let little = DecodingLimits(maximumMemory: 45 * 37)
        #expect(
            text { try Image(decoding: bytes, name: file, limits: little) }.contains("bytes to decode its 45x37 pixels")
        )
    }

    @Test("bytes that are damaged give an error or a picture, never a trap", arguments: whole.map(\.file))
    func damaged(file: String) throws {
        guard Self.whole.first(where: { $0.file == file })?.library?.isThere ?? true else { return }
        let bytes = try Goldens.bytes("formats/" + file)
        var random = SplitMix64(state: 23)
        let limits = DecodingLimits(maximumPixels: 1_000_000, maximumMemory: 64 << 20)
        var pictures = 0
        for _ in 0..<300 {
            var mutated = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                mutated[Int.random(in: 8..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do throws(ImageError) {
                let image = try Image(decoding: mutated, name: file, limits: limits)
                #expect(image.pixels.count == image.width * image.height * image.channels)
                pictures += 1
            } catch {
                #expect("\(error)".hasPrefix(file))
            }
        }
        // Some damage does no harm.
        #expect(pictures < 300)
    }
}
