internal import SegNetAnnotations
internal import SegNetData
internal import SegNetFormats
internal import SegNetImages
internal import SegNetPlatform

extension SystemComparison {
    /// The pictures that are scored and what they are scored by, in short: how many they are, and a checksum. A data set that was moved or
    /// copied has the same.
    /// - Throws: Errors of finding the pictures.
    func truth() throws -> String {
        let dataset = try scoredDataset()
        let samples = try dataset.samples(of: plan.split)
        var check = TruthChecksum()
        for entry in dataset.classes.classes { check.add("\(entry.name) \(entry.color)") }
        for (number, id) in dataset.rule.mapping.sorted(by: { $0.key < $1.key }) {
            check.add("\(number) is \(id.map { "\($0)" } ?? "void")")
        }
        for sample in samples { check.add(sample) }
        return "\(counted(samples.count, "picture")) (\(String(check.checksum, radix: 16)))"
    }
}

/// A checksum of pictures and their labels: of labels every byte, since a pixel can be corrected; of pictures, of which there are more
/// bytes, the name, the size, the beginning and the end.
private struct TruthChecksum {
    private var check = CRC32C()
    /// Files that are in it: one annotation file can be that of all pictures.
    private var seen: Set<String> = []
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    var checksum: UInt32 { check.checksum }

    mutating func add(_ text: String) { Array("\(text)\n".utf8).withUnsafeBytes { check.add($0) } }

    mutating func add(_ sample: Sample) {
        add(sample.name)
        switch sample.source {
        case .files(let images, let label):
            for image in images { add(file: image, isWhole: false) }
            add(file: label, isWhole: true)
        case .annotated(let image, let picture, _):
            add(file: image, isWhole: false)
            for file in [picture.source, picture.segments?.file].compactMap({ $0 }) where seen.insert(file).inserted {
                add(file: file, isWhole: true)
            }
        case .street(let seed): add("seed \(seed)")
        }
    }

    /// A file that cannot be read counts as such: scoring reports it.
    private mutating func add(file path: String, isWhole: Bool) {
        let descriptor = RawFileName.withPath(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { return add("missing") }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        add("\(size) bytes")
        let last = max(0, size - buffer.count)
        for offset in isWhole ? Array(stride(from: 0, to: size, by: buffer.count)) : [0, last] {
            let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
            buffer.withUnsafeBytes { check.add(UnsafeRawBufferPointer(rebasing: $0[..<max(0, count)])) }
        }
    }
}
