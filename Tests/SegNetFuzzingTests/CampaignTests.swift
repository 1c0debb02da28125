import SegNetFuzzing
import Testing

@Suite("Damaged files")
struct CampaignTests {
    /// 50 of each format and kind.
    private static let count = 50 * MutationKind.allCases.count * FileFormat.allCases.count
    private let campaign = FuzzCampaign(goodFiles: GoodFiles.all, seed: 5)

    private func files(_ format: FileFormat, _ kind: MutationKind) -> [MutatedFile] {
        (0..<Self.count).compactMap { campaign.file(at: $0) }.filter { $0.format == format && $0.kind == kind }
    }

    @Test("are the same for the same seed and number, in any order, and others for another seed")
    func determinism() {
        let again = FuzzCampaign(goodFiles: GoodFiles.all, seed: 5)
        let other = FuzzCampaign(goodFiles: GoodFiles.all, seed: 6)
        var differing = 0
        for index in (0..<300).reversed() {
            #expect(campaign.file(at: index)?.bytes == again.file(at: index)?.bytes)
            if campaign.file(at: index)?.bytes != other.file(at: index)?.bytes { differing += 1 }
        }
        #expect(differing > 250)
    }

    @Test("never equal the good file they come from")
    func alwaysDamaged() throws {
        let good = Dictionary(uniqueKeysWithValues: GoodFiles.all.map { ($0.name, $0.bytes) })
        for index in 0..<Self.count {
            let file = try #require(campaign.file(at: index))
            let original = try #require(good[file.origin])
            #expect(original != file.bytes, "file \(index)")
        }
    }

    @Test("are a third each of structure, length and payload, in every format alike")
    func thirds() {
        let all = (0..<Self.count).compactMap { campaign.file(at: $0) }
        for kind in MutationKind.allCases {
            #expect(all.filter { $0.kind == kind }.count == Self.count / 3)
            for format in FileFormat.allCases {
                #expect(all.filter { $0.kind == kind && $0.format == format }.count == 50)
            }
        }
    }

    @Test("are never much larger than the good ones")
    func size() {
        let greatest = (0..<Self.count).compactMap { campaign.file(at: $0)?.bytes.count }.max() ?? 0
        #expect(greatest < 2 << 20)
    }

    @Test("say number, kind and format in their names")
    func names() {
        #expect(campaign.file(at: 2)?.name == "000002-payload.png")
        // The formats have had their turns.
        let next = 3 * FileFormat.allCases.count
        #expect(campaign.file(at: next + 1)?.name == "0000\(next + 1)-length.png")
        for format in FileFormat.allCases { #expect(FileFormat(fileName: "a." + format.fileExtension) == format) }
        #expect(campaign.file(at: -1) == nil)
        #expect(FuzzCampaign(goodFiles: [], seed: 1).file(at: 0) == nil)
    }

    @Test("PNG: every payload file has chunks and checksums in order; most pixels unpack with a right Adler-32")
    func validPNGs() {
        let files = files(.png, .payload)
        var unpacked = 0
        for file in files {
            let png = PNGChunks(file.bytes)
            #expect(png != nil, "\(file.name)")
            #expect(png?.chunks.map(\.name).first == "IHDR")
            #expect(png?.chunks.map(\.name).last == "IEND")
            let stream = png?.chunks.filter { $0.name == "IDAT" }.flatMap(\.data) ?? []
            guard let pixels = Zlib.unpack(stream), stream.count >= 6 else { continue }
            let adler = stream.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if adler == Checksums.adler32(pixels) { unpacked += 1 }
        }
        #expect(unpacked > files.count * 2 / 3)
    }

    @Test("JPEG: every payload file is a chain of segments of the lengths they state, markers as in the good file")
    func validJPEGs() {
        let good = Dictionary(uniqueKeysWithValues: GoodFile.pictures.map { ($0.name, $0.bytes) })
        for file in files(.jpeg, .payload) {
            let markers = JPEGSegments(file.bytes)?.segments.map(\.marker)
            let original = JPEGSegments(good[file.origin] ?? [])?.segments.map(\.marker)
            #expect(markers != nil)
            #expect(markers == original)
        }
    }

    @Test("safetensors: every payload file has a header of the stated length with brackets in pairs, and as much data")
    func validSafetensors() throws {
        for file in files(.safetensors, .payload) {
            let parts = try #require(SafetensorsParts(file.bytes), "\(file.name)")
            let header = String(decoding: parts.header, as: UTF8.self)
            #expect(parts.data.count == 32, "\(file.name)")
            #expect(isBalanced(parts.header), "\(file.name)")
            #expect(header.contains("\"a.weight\""))
        }
    }

    @Test("caffemodel: every payload file is a message whose lengths are right")
    func validCaffemodels() {
        for file in files(.caffemodel, .payload) {
            let fields = ProtobufField.parse(file.bytes)
            #expect(fields?.map(\.number) == [1, 100, 100], "\(file.name)")
        }
    }

    @Test("prototxt: every payload file keeps its braces")
    func validPrototxts() {
        for file in files(.prototxt, .payload) {
            let text = String(decoding: file.bytes, as: UTF8.self)
            let lines = text.split(separator: "\n").map { $0.prefix { $0 != "#" } }
            #expect(isBalanced(Array(lines.joined(separator: "\n").utf8)), "\(file.name)")
        }
    }

    @Test("WebP, HEIC: every payload file keeps its chunks or boxes and their lengths")
    func validChunks() throws {
        for file in files(.webp, .payload) {
            let good = try #require(GoodFiles.all.first { $0.name == file.origin })
            #expect(RIFFChunks(file.bytes)?.chunks.map(\.type) == RIFFChunks(good.bytes)?.chunks.map(\.type))
        }
        for file in files(.heic, .payload) {
            let good = try #require(GoodFiles.all.first { $0.name == file.origin })
            #expect(MediaBox.parse(file.bytes)?.map(\.type) == MediaBox.parse(good.bytes)?.map(\.type))
            #expect(file.bytes.count == good.bytes.count)
        }
    }

    @Test(
        "annotations: every payload file keeps its brackets, tags or lines",
        arguments: [FileFormat.coco, .labelme, .labelStudio]
    )
    func validAnnotations(format: FileFormat) throws {
        for file in files(format, .payload) { #expect(isBalanced(file.bytes), "\(file.name)") }
        func count(_ bytes: [UInt8], _ letter: Character) -> Int { bytes.count { $0 == letter.asciiValue } }
        for (format, letter) in [(FileFormat.cvat, Character("<")), (.yolo, "\n")] {
            for file in files(format, .payload) {
                let good = try #require(GoodFiles.all.first { $0.name == file.origin })
                #expect(count(file.bytes, letter) == count(good.bytes, letter), "\(file.name)")
            }
        }
    }

    @Test("structure: most files are broken as chunks, segments, messages or texts, and some only say other things")
    func structures() {
        let pngs = files(.png, .structure).filter { PNGChunks($0.bytes) == nil }
        let all = files(.png, .structure)
        #expect(!pngs.isEmpty && pngs.count < all.count)
        let models = files(.caffemodel, .structure).filter { ProtobufField.parse($0.bytes)?.isEmpty != false }
        #expect(!models.isEmpty)
        #expect(files(.prototxt, .structure).contains { !isBalanced($0.bytes) })
        #expect(files(.safetensors, .structure).contains { SafetensorsParts($0.bytes) == nil })
        #expect(files(.jpeg, .structure).contains { JPEGSegments($0.bytes) == nil })
        #expect(files(.webp, .structure).contains { RIFFChunks($0.bytes) == nil })
        #expect(files(.gif, .structure).contains { GIFBlocks($0.bytes) == nil })
        // A box with something broken inside is read as a box without boxes inside.
        #expect(files(.heic, .structure).contains { MediaBox.parse($0.bytes)?.contains { !$0.boxes.isEmpty } != true })
        #expect(files(.coco, .structure).contains { !isBalanced($0.bytes) })
    }

    @Test("good files survive being taken apart and put together", arguments: GoodFiles.all)
    func roundTrips(file: GoodFile) {
        switch file.format {
        case .png: #expect(PNGChunks(file.bytes)?.bytes == file.bytes)
        case .jpeg: #expect(JPEGSegments(file.bytes)?.bytes == file.bytes)
        case .safetensors: #expect(SafetensorsParts(file.bytes)?.bytes == file.bytes)
        case .caffemodel: #expect(ProtobufField.parse(file.bytes).map(ProtobufField.write) == file.bytes)
        case .webp: #expect(RIFFChunks(file.bytes)?.bytes == file.bytes)
        case .gif: #expect(GIFBlocks(file.bytes)?.bytes == file.bytes)
        case .heic: #expect(MediaBox.parse(file.bytes).map(MediaBox.write) == file.bytes)
        case .prototxt, .tiff, .bmp, .coco, .labelme, .labelStudio, .cvat, .yolo: #expect(!file.bytes.isEmpty)
        }
    }

    /// Whether brackets outside of quoted text come in pairs.
    private func isBalanced(_ text: [UInt8]) -> Bool {
        var open: [UInt8] = []
        var isQuoted = false
        var isEscaped = false
        for byte in text {
            if isQuoted {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else {
                    isQuoted = byte != UInt8(ascii: "\"")
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isQuoted = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): open.append(byte + 2)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): if open.popLast() != byte { return false }
            default: break
            }
        }
        return open.isEmpty && !isQuoted
    }
}
